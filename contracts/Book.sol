// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Token} from "./Token.sol";

/// An order book for a base token priced in a quote token. Offers of the base token are concentrated at levels: each level
/// has one price, at which its offers wait in line. It trusts both tokens, and has no constructor.
contract Book {
    struct Level {
        uint256 first;
        uint256 end;
    }

    struct Offer {
        address maker;
        uint256 amount;
    }

    Token public base;
    Token public quote;
    mapping(uint256 => Level) public levels;
    mapping(uint256 => mapping(uint256 => Offer)) public offers;

    event Offered(address indexed maker, uint256 indexed level, uint256 amount);
    event Taken(address indexed taker, uint256 indexed level, uint256 amount);

    error TransferFailed();
    error NotTheMaker();

    /// Offers an amount of the base token for `level` thousandths of a quote token each.
    function offer(uint256 level, uint256 amount) external returns (uint256 number) {
        number = levels[level].end++;
        offers[level][number] = Offer(msg.sender, amount);
        if (!base.transferFrom(msg.sender, address(this), amount)) revert TransferFailed();
        emit Offered(msg.sender, level, amount);
    }

    /// Takes back what is left of an offer. Its place in line stays, empty.
    function cancel(uint256 level, uint256 number) external {
        Offer storage own = offers[level][number];
        if (own.maker != msg.sender) revert NotTheMaker();
        uint256 amount = own.amount;
        own.amount = 0;
        if (!base.transfer(msg.sender, amount)) revert TransferFailed();
    }

    /// Buys up to `amount` of what is offered at a level, first come first served.
    function take(uint256 level, uint256 amount) external returns (uint256 taken) {
        Level storage line = levels[level];
        while (taken < amount && line.first < line.end) {
            Offer storage next = offers[level][line.first];
            uint256 part = amount - taken;
            if (part < next.amount) {
                next.amount -= part;
            } else {
                part = next.amount;
                next.amount = 0;
                line.first++;
            }
            taken += part;
            if (!quote.transferFrom(msg.sender, next.maker, (part * level) / 1000)) revert TransferFailed();
        }
        if (!base.transfer(msg.sender, taken)) revert TransferFailed();
        emit Taken(msg.sender, level, taken);
    }
}
