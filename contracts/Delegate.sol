// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// What an account becomes that delegates to it (EIP-7702): a wallet that makes several calls in one transaction.
contract Delegate {
    struct Call {
        address to;
        uint256 value;
        bytes data;
    }

    error NotTheOwner();
    error CallFailed(uint256 index);

    receive() external payable {}

    /// Makes the calls in order, all of them or none. Only the account itself may ask for it.
    function execute(Call[] calldata calls) external payable {
        if (msg.sender != address(this)) revert NotTheOwner();
        for (uint256 i = 0; i < calls.length; i++) {
            (bool done, ) = calls[i].to.call{value: calls[i].value}(calls[i].data);
            if (!done) revert CallFailed(i);
        }
    }
}
