// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Exchange} from "./Exchange.sol";
import {Token} from "./Token.sol";

/// Sells one token for another along a path of exchanges. It holds tokens only within a call, and lets the exchanges of its
/// genesis state draw on what it holds.
contract Router {
    error TooLittleOut();
    error TransferFailed();

    /// Sells `amountIn` of `token` at one exchange after the other, each time all that the one before paid.
    function swap(Token token, uint256 amountIn, uint256 minOut, Exchange[] calldata path)
        external
        returns (uint256 amount)
    {
        if (!token.transferFrom(msg.sender, address(this), amountIn)) revert TransferFailed();
        amount = amountIn;
        for (uint256 i = 0; i < path.length; i++) {
            Token first = path[i].token0();
            bool zeroForOne = address(token) == address(first);
            token = zeroForOne ? path[i].token1() : first;
            amount = path[i].swap(zeroForOne, amount, 0);
        }
        if (amount < minOut) revert TooLittleOut();
        if (!token.transfer(msg.sender, amount)) revert TransferFailed();
    }
}
