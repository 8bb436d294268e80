// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// A price that one account sets: how much of one token is worth a whole other one, with 18 decimals.
contract Oracle {
    address public feeder;
    uint256 public price;

    event Price(uint256 price);

    error NotTheFeeder();

    function set(uint256 newPrice) external {
        if (msg.sender != feeder) revert NotTheFeeder();
        price = newPrice;
        emit Price(newPrice);
    }
}
