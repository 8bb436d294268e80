// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Token} from "./Token.sol";

/// Pays many recipients in one transaction. It holds tokens only within a call, and trusts the token.
contract Airdrop {
    error TransferFailed();

    /// Draws what is needed from the caller, in one transfer, and gives `amount` to each recipient.
    function send(Token token, uint256 amount, address[] calldata recipients) external {
        if (!token.transferFrom(msg.sender, address(this), amount * recipients.length)) revert TransferFailed();
        for (uint256 i = 0; i < recipients.length; i++) {
            if (!token.transfer(recipients[i], amount)) revert TransferFailed();
        }
    }
}
