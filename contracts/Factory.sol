// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// Keeps ether for its owner.
contract Safe {
    address public owner;

    error NotTheOwner();
    error PaymentFailed();

    constructor(address first) payable {
        owner = first;
    }

    receive() external payable {}

    function withdraw(address payable to, uint256 value) external {
        if (msg.sender != owner) revert NotTheOwner();
        (bool paid, ) = to.call{value: value}("");
        if (!paid) revert PaymentFailed();
    }
}

/// Deploys safes with CREATE2, at addresses that the owner and the salt determine.
contract Factory {
    event Deployed(address indexed owner, address safe);

    function deploy(bytes32 salt) external payable returns (address safe) {
        safe = address(new Safe{salt: keccak256(abi.encode(msg.sender, salt)), value: msg.value}(msg.sender));
        emit Deployed(msg.sender, safe);
    }
}
