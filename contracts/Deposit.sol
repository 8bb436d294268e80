// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// Stands in for the beacon chain's deposit contract: a deposit leaves the log that EIP-6110 turns into a request. It
/// keeps no tree of deposits and checks no signature, which only a beacon chain would look at.
contract Deposit {
    uint256 public count;

    event DepositEvent(bytes pubkey, bytes withdrawal_credentials, bytes amount, bytes signature, bytes index);

    error WrongLength();
    error WrongAmount();

    function deposit(
        bytes calldata pubkey,
        bytes calldata withdrawal_credentials,
        bytes calldata signature,
        bytes32
    ) external payable {
        if (pubkey.length != 48 || withdrawal_credentials.length != 32 || signature.length != 96) revert WrongLength();
        uint256 gweiSent = msg.value / 1 gwei;
        if (msg.value < 1 ether || msg.value % 1 gwei != 0 || gweiSent > type(uint64).max) revert WrongAmount();
        emit DepositEvent(
            pubkey,
            withdrawal_credentials,
            littleEndian(uint64(gweiSent)),
            signature,
            littleEndian(uint64(count++))
        );
    }

    function littleEndian(uint64 value) private pure returns (bytes memory) {
        uint64 reversed = 0;
        for (uint256 i = 0; i < 8; i++) {
            reversed = (reversed << 8) | (value & 0xff);
            value >>= 8;
        }
        return abi.encodePacked(reversed);
    }
}
