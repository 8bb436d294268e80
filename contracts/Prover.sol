// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// Reads and computes a lot and stores little, as verifiers of proofs do.
contract Prover {
    mapping(uint256 => bytes32) public keys;
    mapping(address => bytes32) public proven;

    event Proven(address indexed prover, bytes32 result);

    /// Hashes so many keys, then as often as asked, and notes the result for the caller.
    function prove(bytes32 seed, uint256 count, uint256 rounds) external {
        for (uint256 i = 0; i < count; i++) seed = hash(seed, keys[i]);
        for (uint256 i = 0; i < rounds; i++) seed = hash(seed, bytes32(i));
        proven[msg.sender] = seed;
        emit Proven(msg.sender, seed);
    }

    /// keccak256(abi.encode(first, second)), without taking new memory each time.
    function hash(bytes32 first, bytes32 second) private pure returns (bytes32 result) {
        assembly {
            mstore(0, first)
            mstore(32, second)
            result := keccak256(0, 64)
        }
    }
}
