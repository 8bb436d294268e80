// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Oracle} from "./Oracle.sol";
import {Token} from "./Token.sol";

/// Lends one token against another as collateral, up to three quarters of its worth by an oracle's price. Debts grow with
/// every block: they are kept in shares, and one index says what a share is worth. It trusts both tokens, and has no
/// constructor.
contract Lending {
    uint256 private constant ONE = 1e18;
    uint256 private constant INTEREST_PER_BLOCK = 1e10;

    Token public collateral;
    Token public loan;
    Oracle public oracle;
    uint256 public index;
    uint256 public updated;
    uint256 public totalShares;
    mapping(address => uint256) public pledged;
    mapping(address => uint256) public shares;

    event Supplied(address indexed owner, uint256 amount);
    event Borrowed(address indexed owner, uint256 amount);
    event Repaid(address indexed owner, uint256 amount);

    error TooLittleCollateral();
    error TransferFailed();

    function supply(uint256 amount) external {
        pledged[msg.sender] += amount;
        if (!collateral.transferFrom(msg.sender, address(this), amount)) revert TransferFailed();
        emit Supplied(msg.sender, amount);
    }

    function borrow(uint256 amount) external {
        uint256 worth = accrue();
        uint256 added = (amount * ONE + worth - 1) / worth;
        uint256 owned = shares[msg.sender] + added;
        shares[msg.sender] = owned;
        totalShares += added;
        uint256 limit = ((pledged[msg.sender] * oracle.price()) / ONE) * 3 / 4;
        if ((owned * worth) / ONE > limit) revert TooLittleCollateral();
        if (!loan.transfer(msg.sender, amount)) revert TransferFailed();
        emit Borrowed(msg.sender, amount);
    }

    /// Pays back up to `amount` of the caller's debt.
    function repay(uint256 amount) external {
        uint256 worth = accrue();
        uint256 less = (amount * ONE) / worth;
        uint256 owned = shares[msg.sender];
        if (less > owned) less = owned;
        shares[msg.sender] = owned - less;
        totalShares -= less;
        uint256 paid = (less * worth + ONE - 1) / ONE;
        if (!loan.transferFrom(msg.sender, address(this), paid)) revert TransferFailed();
        emit Repaid(msg.sender, paid);
    }

    /// Adds the interest of the blocks since it was added last.
    function accrue() private returns (uint256) {
        if (updated != block.number) {
            index += (index * INTEREST_PER_BLOCK * (block.number - updated)) / ONE;
            updated = block.number;
        }
        return index;
    }
}
