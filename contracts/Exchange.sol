// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Token} from "./Token.sol";

/// A constant-product pool of two tokens: the product of its reserves never falls. It trusts both tokens, and like
/// them has no constructor: its storage is placed in a genesis state.
contract Exchange {
    Token public token0;
    Token public token1;
    uint256 public reserve0;
    uint256 public reserve1;

    event Swap(address indexed trader, bool zeroForOne, uint256 amountIn, uint256 amountOut);

    error TooLittleOut();
    error TransferFailed();

    /// Sells `amountIn` of one token for the other, less a fee of 0.3 % that stays in the pool.
    function swap(bool zeroForOne, uint256 amountIn, uint256 minOut) external returns (uint256 amountOut) {
        (Token tokenIn, Token tokenOut) = zeroForOne ? (token0, token1) : (token1, token0);
        (uint256 reserveIn, uint256 reserveOut) = zeroForOne ? (reserve0, reserve1) : (reserve1, reserve0);

        uint256 afterFee = amountIn * 997;
        amountOut = (reserveOut * afterFee) / (reserveIn * 1000 + afterFee);
        if (amountOut < minOut) revert TooLittleOut();

        reserveIn += amountIn;
        reserveOut -= amountOut;
        (reserve0, reserve1) = zeroForOne ? (reserveIn, reserveOut) : (reserveOut, reserveIn);

        if (!tokenIn.transferFrom(msg.sender, address(this), amountIn)) revert TransferFailed();
        if (!tokenOut.transfer(msg.sender, amountOut)) revert TransferFailed();
        emit Swap(msg.sender, zeroForOne, amountIn, amountOut);
    }
}
