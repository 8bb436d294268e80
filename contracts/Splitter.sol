// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// Passes on ether to several accounts in equal parts. What cannot be divided stays.
contract Splitter {
    error PaymentFailed();

    function split(address payable[] calldata payees) external payable {
        uint256 part = msg.value / payees.length;
        for (uint256 i = 0; i < payees.length; i++) {
            (bool paid, ) = payees[i].call{value: part}("");
            if (!paid) revert PaymentFailed();
        }
    }
}
