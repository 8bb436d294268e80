// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// A collection of non-fungible tokens that anyone may mint. A counter numbers them, so that every mint depends on the
/// one before. There is no constructor: the code is placed in a genesis state, and its storage with it.
contract Collection {
    mapping(uint256 => address) public ownerOf;
    mapping(address => uint256) public balanceOf;
    uint256 public nextId;
    uint256 public limit;

    event Transfer(address indexed from, address indexed to, uint256 indexed id);

    error SoldOut();
    error NotTheOwner();

    function mint() external returns (uint256 id) {
        id = nextId;
        if (id >= limit) revert SoldOut();
        nextId = id + 1;
        balanceOf[msg.sender] += 1;
        ownerOf[id] = msg.sender;
        emit Transfer(address(0), msg.sender, id);
    }

    function transfer(address to, uint256 id) external {
        if (ownerOf[id] != msg.sender) revert NotTheOwner();
        ownerOf[id] = to;
        balanceOf[msg.sender] -= 1;
        balanceOf[to] += 1;
        emit Transfer(msg.sender, to, id);
    }
}
