;; A small actor with the state of an EVM contract: the tuple of six fields, and slots in a KAMT of bit width 5.
;;
;; Its parameters are a program (see `program.rs`); each operation reads and writes the state through the FVM's system
;; calls, so gas, reachability and conflicts are real. It returns what its operations appended.
;;
;; Memory: 16 results of system calls; 128 the current CID; 192 the key; 1024 the state tuple; 1536 lengths and 1664 link
;; positions of the nodes on the path; 8192 the result; 12288 a node being built; 20480 a sub-node; 32768 the program; 65536
;; the nodes on the path, 4096 bytes each.
(module
  (import "ipld" "block_open" (func $block_open (param i32 i32) (result i32)))
  (import "ipld" "block_create" (func $block_create (param i32 i64 i32 i32) (result i32)))
  (import "ipld" "block_link" (func $block_link (param i32 i32 i64 i32 i32 i32) (result i32)))
  (import "ipld" "block_read" (func $block_read (param i32 i32 i32 i32 i32) (result i32)))
  (import "ipld" "block_stat" (func $block_stat (param i32 i32) (result i32)))
  (import "self" "root" (func $root (param i32 i32 i32) (result i32)))
  (import "self" "set_root" (func $set_root (param i32) (result i32)))
  (import "self" "current_balance" (func $current_balance (param i32) (result i32)))
  (import "self" "self_destruct" (func $self_destruct (param i32) (result i32)))
  (import "actor" "resolve_address" (func $resolve_address (param i32 i32 i32) (result i32)))
  (import "actor" "lookup_delegated_address" (func $delegated (param i32 i64 i32 i32) (result i32)))
  (import "actor" "get_actor_code_cid" (func $code_cid (param i32 i64 i32 i32) (result i32)))
  (import "actor" "balance_of" (func $balance_of (param i32 i64) (result i32)))
  (import "actor" "create_actor" (func $create_actor (param i64 i32 i32 i32) (result i32)))
  (import "send" "send" (func $send (param i32 i32 i32 i64 i32 i64 i64 i64 i64) (result i32)))
  (import "event" "emit_event" (func $emit_event (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "vm" "exit" (func $exit (param i32 i32 i32 i32) (result i32)))

  (memory (export "memory") 3)
  ;; Sets modules of different roles apart: their CIDs must differ.
  (global $role i32 (i32.const ROLE))

  (global $out (mut i32) (i32.const 8192))      ;; end of the result
  (global $pc (mut i32) (i32.const 32768))      ;; next byte of the program
  (global $consumed (mut i32) (i32.const 0))    ;; bits of the key used so far
  (global $level (mut i32) (i32.const 0))       ;; depth of the path
  (global $bits (mut i32) (i32.const 0))        ;; the last node's bitfield
  (global $count (mut i32) (i32.const 0))       ;; the last node's pointers
  (global $first (mut i32) (i32.const 0))       ;; where its first pointer stands
  (global $index (mut i32) (i32.const 0))       ;; the key's five bits there
  (global $at (mut i32) (i32.const 0))          ;; where the key's pointer stands, or would
  (global $value_at (mut i32) (i32.const 0))    ;; where the value stands
  (global $found (mut i32) (i32.const 0))       ;; 0 missing, 1 found, 2 another key's value, 3 another extension
  (global $sink (mut i64) (i64.const 0))

  (func $fail (param $code i32)
    (drop (call $exit (local.get $code) (i32.const 0) (i32.const 0) (i32.const 0)))
    (unreachable))

  (func $check (param $errno i32)
    (if (local.get $errno) (then (call $fail (i32.add (i32.const 100) (local.get $errno))))))

  ;; Reads the block named at $cid to $to; gives its length.
  (func $load (param $cid i32) (param $to i32) (result i32)
    (local $size i32)
    (call $check (call $block_open (i32.const 16) (local.get $cid)))
    (local.set $size (i32.load (i32.const 28)))
    (if (i32.gt_u (local.get $size) (i32.const 4096)) (then (call $fail (i32.const 40))))
    (call $check (call $block_read (i32.const 32) (i32.load (i32.const 24)) (i32.const 0) (local.get $to) (local.get $size)))
    (local.get $size))

  ;; Writes a block and puts its CID at $cid.
  (func $save (param $from i32) (param $size i32) (param $codec i64) (param $cid i32)
    (call $check (call $block_create (i32.const 16) (local.get $codec) (local.get $from) (local.get $size)))
    (call $check (call $block_link (i32.const 20) (i32.load (i32.const 16)) (i64.const 0xb220) (i32.const 32) (local.get $cid) (i32.const 64))))

  ;; Reads the state tuple to 1024 and the CID of its slots to 128.
  (func $open_state
    (call $check (call $root (i32.const 16) (i32.const 128) (i32.const 64)))
    (if (i32.ne (call $load (i32.const 128) (i32.const 1024)) (i32.const 124)) (then (call $fail (i32.const 41))))
    (memory.copy (i32.const 128) (i32.const 1107) (i32.const 38)))

  (func $save_state
    (call $save (i32.const 1024) (i32.const 124) (i64.const 0x71) (i32.const 128))
    (call $check (call $set_root (i32.const 128))))

  (func $be16 (param $p i32) (result i32)
    (i32.or (i32.shl (i32.load8_u (local.get $p)) (i32.const 8)) (i32.load8_u (i32.add (local.get $p) (i32.const 1)))))

  ;; The end of the CBOR item at $p.
  (func $skip (param $p i32) (result i32)
    (local $head i32) (local $major i32) (local $value i32)
    (local.set $head (i32.load8_u (local.get $p)))
    (local.set $p (i32.add (local.get $p) (i32.const 1)))
    (local.set $major (i32.shr_u (local.get $head) (i32.const 5)))
    (local.set $value (i32.and (local.get $head) (i32.const 31)))
    (if (i32.ge_u (local.get $value) (i32.const 24)) (then
      (if (i32.eq (local.get $value) (i32.const 24))
        (then (local.set $value (i32.load8_u (local.get $p))) (local.set $p (i32.add (local.get $p) (i32.const 1))))
        (else (local.set $value (call $be16 (local.get $p))) (local.set $p (i32.add (local.get $p) (i32.const 2)))))))
    (if (i32.or (i32.lt_u (local.get $major) (i32.const 2)) (i32.eq (local.get $major) (i32.const 7)))
      (then (return (local.get $p))))
    (if (i32.lt_u (local.get $major) (i32.const 4)) (then (return (i32.add (local.get $p) (local.get $value)))))
    (if (i32.eq (local.get $major) (i32.const 5)) (then (local.set $value (i32.shl (local.get $value) (i32.const 1)))))
    (if (i32.eq (local.get $major) (i32.const 6)) (then (local.set $value (i32.const 1))))
    (block $done (loop $items
      (br_if $done (i32.eqz (local.get $value)))
      (local.set $p (call $skip (local.get $p)))
      (local.set $value (i32.sub (local.get $value) (i32.const 1)))
      (br $items)))
    (local.get $p))

  ;; Five bits of the 32 bytes at $key, from bit $from on.
  (func $five (param $key i32) (param $from i32) (result i32)
    (if (i32.gt_u (local.get $from) (i32.const 250)) (then (call $fail (i32.const 42))))
    (i32.and (i32.const 31) (i32.shr_u
      (call $be16 (i32.add (local.get $key) (i32.shr_u (local.get $from) (i32.const 3))))
      (i32.sub (i32.const 11) (i32.and (local.get $from) (i32.const 7))))))

  (func $bit (param $bytes i32) (param $n i32) (result i32)
    (i32.and (i32.const 1) (i32.shr_u
      (i32.load8_u (i32.add (local.get $bytes) (i32.shr_u (local.get $n) (i32.const 3))))
      (i32.sub (i32.const 7) (i32.and (local.get $n) (i32.const 7))))))

  ;; Leading zero bytes of the 32 at $key.
  (func $zeros (param $key i32) (result i32)
    (local $n i32)
    (block $done (loop $next
      (br_if $done (i32.eq (local.get $n) (i32.const 32)))
      (br_if $done (i32.load8_u (i32.add (local.get $key) (local.get $n))))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br $next)))
    (local.get $n))

  ;; Appends a byte string.
  (func $put_bytes (param $to i32) (param $from i32) (param $size i32) (result i32)
    (if (i32.lt_u (local.get $size) (i32.const 24))
      (then (i32.store8 (local.get $to) (i32.add (i32.const 0x40) (local.get $size))))
      (else
        (i32.store8 (local.get $to) (i32.const 0x58))
        (local.set $to (i32.add (local.get $to) (i32.const 1)))
        (i32.store8 (local.get $to) (local.get $size))))
    (local.set $to (i32.add (local.get $to) (i32.const 1)))
    (memory.copy (local.get $to) (local.get $from) (local.get $size))
    (i32.add (local.get $to) (local.get $size)))

  ;; Appends a number as the shortest big-endian byte string.
  (func $put_value (param $to i32) (param $v i64) (result i32)
    (local $size i32)
    (local.set $size (i32.shr_u (i32.sub (i32.const 71) (i32.wrap_i64 (i64.clz (local.get $v)))) (i32.const 3)))
    (i32.store8 (local.get $to) (i32.add (i32.const 0x40) (local.get $size)))
    (local.set $to (i32.add (local.get $to) (i32.const 1)))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $size)))
      (local.set $size (i32.sub (local.get $size) (i32.const 1)))
      (i32.store8 (local.get $to) (i32.wrap_i64 (i64.shr_u (local.get $v) (i64.extend_i32_u (i32.shl (local.get $size) (i32.const 3))))))
      (local.set $to (i32.add (local.get $to) (i32.const 1)))
      (br $next)))
    (local.get $to))

  ;; Appends a pointer to the value of the key at $key.
  (func $put_pair (param $to i32) (param $key i32) (param $v i64) (result i32)
    (local $z i32)
    (i32.store (local.get $to) (i32.const 0x817661a1))
    (i32.store8 offset=4 (local.get $to) (i32.const 0x82))
    (local.set $z (call $zeros (local.get $key)))
    (call $put_value
      (call $put_bytes (i32.add (local.get $to) (i32.const 5)) (i32.add (local.get $key) (local.get $z)) (i32.sub (i32.const 32) (local.get $z)))
      (local.get $v)))

  ;; Appends a node's head: its bitfield and the number of its pointers.
  (func $put_head (param $to i32) (param $bits i32) (result i32)
    (local $size i32) (local $n i32)
    (i32.store8 (local.get $to) (i32.const 0x82))
    (local.set $to (call $put_value (i32.add (local.get $to) (i32.const 1)) (i64.extend_i32_u (local.get $bits))))
    (local.set $n (i32.popcnt (local.get $bits)))
    (if (i32.lt_u (local.get $n) (i32.const 24))
      (then (i32.store8 (local.get $to) (i32.add (i32.const 0x80) (local.get $n))))
      (else
        (i32.store8 (local.get $to) (i32.const 0x98))
        (local.set $to (i32.add (local.get $to) (i32.const 1)))
        (i32.store8 (local.get $to) (local.get $n))))
    (i32.add (local.get $to) (i32.const 1)))

  (func $node (param $level i32) (result i32) (i32.add (i32.const 65536) (i32.shl (local.get $level) (i32.const 12))))

  ;; Walks from the node named at 128 to where the key at 192 belongs.
  (func $walk
    (local $p i32) (local $n i32) (local $size i32) (local $i i32)
    (global.set $level (i32.const 0))
    (global.set $consumed (i32.const 0))
    (loop $deeper
      (if (i32.ge_u (global.get $level) (i32.const 15)) (then (call $fail (i32.const 43))))
      (local.set $p (call $node (global.get $level)))
      (i32.store (i32.add (i32.const 1536) (i32.shl (global.get $level) (i32.const 2))) (call $load (i32.const 128) (local.get $p)))
      (local.set $size (i32.and (i32.load8_u offset=1 (local.get $p)) (i32.const 31)))
      (local.set $p (i32.add (local.get $p) (i32.const 2)))
      (global.set $bits (i32.const 0))
      (block $read (loop $byte
        (br_if $read (i32.eqz (local.get $size)))
        (global.set $bits (i32.or (i32.shl (global.get $bits) (i32.const 8)) (i32.load8_u (local.get $p))))
        (local.set $p (i32.add (local.get $p) (i32.const 1)))
        (local.set $size (i32.sub (local.get $size) (i32.const 1)))
        (br $byte)))
      (if (i32.eq (i32.load8_u (local.get $p)) (i32.const 0x98)) (then (local.set $p (i32.add (local.get $p) (i32.const 1)))))
      (local.set $p (i32.add (local.get $p) (i32.const 1)))
      (global.set $first (local.get $p))
      (global.set $count (i32.popcnt (global.get $bits)))
      (global.set $index (call $five (i32.const 192) (global.get $consumed)))
      (global.set $consumed (i32.add (global.get $consumed) (i32.const 5)))
      (local.set $n (i32.popcnt (i32.and (global.get $bits) (i32.sub (i32.shl (i32.const 1) (global.get $index)) (i32.const 1)))))
      (block $there (loop $next
        (br_if $there (i32.eqz (local.get $n)))
        (local.set $p (call $skip (local.get $p)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next)))
      (global.set $at (local.get $p))
      (global.set $found (i32.const 0))
      (if (i32.eqz (i32.and (i32.const 1) (i32.shr_u (global.get $bits) (global.get $index)))) (then (return)))
      (if (i32.eq (i32.load8_u offset=2 (local.get $p)) (i32.const 0x76)) (then
        ;; A value: a1 61 76 81 82, key, value.
        (local.set $p (i32.add (local.get $p) (i32.const 5)))
        (global.set $value_at (call $skip (local.get $p)))
        (global.set $found (i32.add (i32.const 1) (i32.eqz (call $same_key (local.get $p)))))
        (return)))
      ;; A link: a1 61 6c 83, d8 2a 58 27 00 and the CID, the extension's length in bits, its bytes.
      (local.set $p (i32.add (local.get $p) (i32.const 9)))
      (i32.store (i32.add (i32.const 1664) (i32.shl (global.get $level) (i32.const 2))) (local.get $p))
      (memory.copy (i32.const 128) (local.get $p) (i32.const 38))
      (local.set $p (i32.add (local.get $p) (i32.const 38)))
      (local.set $size (i32.load8_u (local.get $p)))
      (local.set $p (i32.add (local.get $p) (i32.const 1)))
      (if (i32.eq (local.get $size) (i32.const 24)) (then
        (local.set $size (i32.load8_u (local.get $p)))
        (local.set $p (i32.add (local.get $p) (i32.const 1)))))
      (if (i32.eq (i32.load8_u (local.get $p)) (i32.const 0x58)) (then (local.set $p (i32.add (local.get $p) (i32.const 1)))))
      (local.set $p (i32.add (local.get $p) (i32.const 1)))
      (local.set $i (i32.const 0))
      (block $matched (loop $ext
        (br_if $matched (i32.eq (local.get $i) (local.get $size)))
        (if (i32.ne (call $bit (local.get $p) (local.get $i)) (call $bit (i32.const 192) (i32.add (global.get $consumed) (local.get $i)))) (then
          (global.set $found (i32.const 3))
          (return)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $ext)))
      (global.set $consumed (i32.add (global.get $consumed) (local.get $size)))
      (global.set $level (i32.add (global.get $level) (i32.const 1)))
      (br $deeper)))

  ;; Whether the byte string at $p is the key at 192 without its leading zeros.
  (func $same_key (param $p i32) (result i32)
    (local $size i32) (local $z i32)
    (local.set $size (i32.and (i32.load8_u (local.get $p)) (i32.const 31)))
    (local.set $p (i32.add (local.get $p) (i32.const 1)))
    (if (i32.eq (local.get $size) (i32.const 24)) (then
      (local.set $size (i32.load8_u (local.get $p)))
      (local.set $p (i32.add (local.get $p) (i32.const 1)))))
    (local.set $z (call $zeros (i32.const 192)))
    (if (i32.ne (local.get $size) (i32.sub (i32.const 32) (local.get $z))) (then (return (i32.const 0))))
    (block $done (loop $next
      (br_if $done (i32.eq (local.get $z) (i32.const 32)))
      (if (i32.ne (i32.load8_u (local.get $p)) (i32.load8_u offset=192 (local.get $z))) (then (return (i32.const 0))))
      (local.set $p (i32.add (local.get $p) (i32.const 1)))
      (local.set $z (i32.add (local.get $z) (i32.const 1)))
      (br $next)))
    (i32.const 1))

  ;; The number in the byte string at $p.
  (func $number (param $p i32) (result i64)
    (local $size i32) (local $v i64)
    (local.set $size (i32.and (i32.load8_u (local.get $p)) (i32.const 31)))
    (if (i32.gt_u (local.get $size) (i32.const 8)) (then (call $fail (i32.const 45))))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $size)))
      (local.set $p (i32.add (local.get $p) (i32.const 1)))
      (local.set $v (i64.or (i64.shl (local.get $v) (i64.const 8)) (i64.load8_u (local.get $p))))
      (local.set $size (i32.sub (local.get $size) (i32.const 1)))
      (br $next)))
    (local.get $v))

  ;; The slot of the key at 192.
  (func $get (result i64)
    (call $open_state)
    (call $walk)
    (if (i32.eq (global.get $found) (i32.const 1)) (then (return (call $number (global.get $value_at)))))
    (i64.const 0))

  ;; Sets the slot that $get has just walked to.
  (func $set (param $v i64)
    (local $end i32) (local $to i32) (local $tail i32)
    (local.set $end (i32.add (call $node (global.get $level)) (i32.load (i32.add (i32.const 1536) (i32.shl (global.get $level) (i32.const 2))))))
    (if (i32.eq (global.get $found) (i32.const 3)) (then
      (if (i64.eqz (local.get $v)) (then (return)))
      (call $fail (i32.const 36))))
    (if (i32.and (i64.eqz (local.get $v)) (i32.ne (global.get $found) (i32.const 1))) (then (return)))
    ;; What follows the pointer.
    (local.set $tail (global.get $at))
    (if (global.get $found) (then (local.set $tail (call $skip (global.get $at)))))
    (if (i64.eqz (local.get $v))
      (then
        (if (i32.and (i32.ne (global.get $level) (i32.const 0)) (i32.lt_u (global.get $count) (i32.const 3))) (then (call $fail (i32.const 35))))
        (global.set $bits (i32.xor (global.get $bits) (i32.shl (i32.const 1) (global.get $index)))))
      (else (global.set $bits (i32.or (global.get $bits) (i32.shl (i32.const 1) (global.get $index))))))
    (local.set $to (call $put_head (i32.const 12288) (global.get $bits)))
    (memory.copy (local.get $to) (global.get $first) (i32.sub (global.get $at) (global.get $first)))
    (local.set $to (i32.add (local.get $to) (i32.sub (global.get $at) (global.get $first))))
    (if (i32.eqz (i64.eqz (local.get $v))) (then
      (if (i32.eq (global.get $found) (i32.const 2))
        (then (local.set $to (call $put_split (local.get $to) (local.get $v))))
        (else (local.set $to (call $put_pair (local.get $to) (i32.const 192) (local.get $v)))))))
    (memory.copy (local.get $to) (local.get $tail) (i32.sub (local.get $end) (local.get $tail)))
    (local.set $to (i32.add (local.get $to) (i32.sub (local.get $end) (local.get $tail))))
    (call $save (i32.const 12288) (i32.sub (local.get $to) (i32.const 12288)) (i64.const 0x71) (i32.const 128))
    (block $top (loop $up
      (br_if $top (i32.eqz (global.get $level)))
      (global.set $level (i32.sub (global.get $level) (i32.const 1)))
      (memory.copy (i32.load (i32.add (i32.const 1664) (i32.shl (global.get $level) (i32.const 2)))) (i32.const 128) (i32.const 38))
      (call $save (call $node (global.get $level)) (i32.load (i32.add (i32.const 1536) (i32.shl (global.get $level) (i32.const 2)))) (i64.const 0x71) (i32.const 128))
      (br $up)))
    (memory.copy (i32.const 1107) (i32.const 128) (i32.const 38))
    (call $save_state))

  ;; Appends a link to a new node that holds the value found there and the new one.
  (func $put_split (param $to i32) (param $v i64) (result i32)
    (local $from i32) (local $a i32) (local $b i32) (local $p i32) (local $size i32) (local $other i64) (local $i i32)
    ;; The other key, with its zeros, at 256.
    (memory.fill (i32.const 256) (i32.const 0) (i32.const 40))
    (local.set $p (i32.add (global.get $at) (i32.const 5)))
    (local.set $size (i32.and (i32.load8_u (local.get $p)) (i32.const 31)))
    (local.set $p (i32.add (local.get $p) (i32.const 1)))
    (if (i32.eq (local.get $size) (i32.const 24)) (then
      (local.set $size (i32.load8_u (local.get $p)))
      (local.set $p (i32.add (local.get $p) (i32.const 1)))))
    (memory.copy (i32.sub (i32.const 288) (local.get $size)) (local.get $p) (local.get $size))
    (local.set $other (call $number (global.get $value_at)))
    (local.set $from (global.get $consumed))
    (loop $common
      (local.set $a (call $five (i32.const 192) (global.get $consumed)))
      (local.set $b (call $five (i32.const 256) (global.get $consumed)))
      (if (i32.eq (local.get $a) (local.get $b)) (then
        (global.set $consumed (i32.add (global.get $consumed) (i32.const 5)))
        (br $common))))
    (local.set $p (call $put_head (i32.const 20480) (i32.or (i32.shl (i32.const 1) (local.get $a)) (i32.shl (i32.const 1) (local.get $b)))))
    (if (i32.lt_u (local.get $a) (local.get $b))
      (then
        (local.set $p (call $put_pair (local.get $p) (i32.const 192) (local.get $v)))
        (local.set $p (call $put_pair (local.get $p) (i32.const 256) (local.get $other))))
      (else
        (local.set $p (call $put_pair (local.get $p) (i32.const 256) (local.get $other)))
        (local.set $p (call $put_pair (local.get $p) (i32.const 192) (local.get $v)))))
    (i32.store (local.get $to) (i32.const 0x836c61a1))
    (i32.store offset=4 (local.get $to) (i32.const 0x27582ad8))
    (i32.store8 offset=8 (local.get $to) (i32.const 0))
    (local.set $to (i32.add (local.get $to) (i32.const 9)))
    (call $save (i32.const 20480) (i32.sub (local.get $p) (i32.const 20480)) (i64.const 0x71) (i32.const 512))
    (memory.copy (local.get $to) (i32.const 512) (i32.const 38))
    (local.set $to (i32.add (local.get $to) (i32.const 38)))
    ;; The extension: its length in bits, then the bits.
    (local.set $size (i32.sub (global.get $consumed) (local.get $from)))
    (if (i32.ge_u (local.get $size) (i32.const 24)) (then
      (i32.store8 (local.get $to) (i32.const 24))
      (local.set $to (i32.add (local.get $to) (i32.const 1)))))
    (i32.store8 (local.get $to) (local.get $size))
    (local.set $to (i32.add (local.get $to) (i32.const 1)))
    (memory.fill (i32.const 320) (i32.const 0) (i32.const 40))
    (block $packed (loop $next
      (br_if $packed (i32.eq (local.get $i) (local.get $size)))
      (local.set $p (i32.add (i32.const 320) (i32.shr_u (local.get $i) (i32.const 3))))
      (i32.store8 (local.get $p) (i32.or (i32.load8_u (local.get $p)) (i32.shl
        (call $bit (i32.const 192) (i32.add (local.get $from) (local.get $i)))
        (i32.sub (i32.const 7) (i32.and (local.get $i) (i32.const 7))))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
    (call $put_bytes (local.get $to) (i32.const 320) (i32.shr_u (i32.add (local.get $size) (i32.const 7)) (i32.const 3))))

  (func $byte (result i32)
    (global.set $pc (i32.add (global.get $pc) (i32.const 1)))
    (i32.load8_u (i32.sub (global.get $pc) (i32.const 1))))

  (func $word (result i64)
    (global.set $pc (i32.add (global.get $pc) (i32.const 8)))
    (i64.load (i32.sub (global.get $pc) (i32.const 8))))

  ;; Takes $size bytes of the program; gives where they stand.
  (func $take (param $size i32) (result i32)
    (global.set $pc (i32.add (global.get $pc) (local.get $size)))
    (i32.sub (global.get $pc) (local.get $size)))

  (func $key
    (memory.copy (i32.const 192) (call $take (i32.const 32)) (i32.const 32)))

  (func $append (param $v i64)
    (if (i32.ge_u (global.get $out) (i32.const 12280)) (then (call $fail (i32.const 46))))
    (i64.store (global.get $out) (local.get $v))
    (global.set $out (i32.add (global.get $out) (i32.const 8))))

  (func $spin (param $n i64)
    (block $done (loop $next
      (br_if $done (i64.eqz (local.get $n)))
      (global.set $sink (i64.xor (i64.mul (i64.add (global.get $sink) (local.get $n)) (i64.const 0x9e3779b97f4a7c15)) (i64.shr_u (global.get $sink) (i64.const 29))))
      (local.set $n (i64.sub (local.get $n) (i64.const 1)))
      (br $next))))

  ;; An empty contract: bytecode "tandem", no slots, nonce 1.
  (func $construct
    (i64.store (i32.const 16384) (i64.const 0x6d65646e6174))
    (call $save (i32.const 16384) (i32.const 6) (i64.const 0x55) (i32.const 512))
    (i32.store8 (i32.const 1024) (i32.const 0x86))
    (i32.store (i32.const 1025) (i32.const 0x27582ad8))
    (i32.store8 (i32.const 1029) (i32.const 0))
    (memory.copy (i32.const 1030) (i32.const 512) (i32.const 38))
    (i32.store16 (i32.const 1068) (i32.const 0x2058))
    (memory.fill (i32.const 1070) (i32.const 7) (i32.const 32))
    (i32.store (i32.const 16384) (i32.const 0x804082))
    (call $save (i32.const 16384) (i32.const 3) (i64.const 0x71) (i32.const 512))
    (i32.store (i32.const 1102) (i32.const 0x27582ad8))
    (i32.store8 (i32.const 1106) (i32.const 0))
    (memory.copy (i32.const 1107) (i32.const 512) (i32.const 38))
    (i32.store (i32.const 1145) (i32.const 0xf601f6))
    (call $save_state))

  (func $call
    (local $flags i32) (local $size i32) (local $to i32) (local $method i64) (local $value i64) (local $gas i64) (local $len i32) (local $params i32)
    (local.set $flags (call $byte))
    (local.set $size (call $byte))
    (local.set $to (call $take (local.get $size)))
    (local.set $method (call $word))
    (local.set $value (call $word))
    (local.set $gas (call $word))
    (local.set $len (i32.wrap_i64 (call $word)))
    (if (local.get $len) (then
      (call $check (call $block_create (i32.const 16) (i64.const 0x51) (call $take (local.get $len)) (local.get $len)))
      (local.set $params (i32.load (i32.const 16)))))
    (i32.store (i32.const 64) (i32.const 0))
    (call $append (i64.extend_i32_u (call $send (i32.const 64) (local.get $to) (local.get $size) (local.get $method) (local.get $params)
      (i64.const 0) (local.get $value) (local.get $gas) (i64.extend_i32_u (local.get $flags)))))
    (call $append (i64.extend_i32_u (i32.load (i32.const 64)))))

  (func $event
    (local $size i32)
    (local.set $size (call $byte))
    (i64.store (i32.const 640) (i64.const 3))
    (i64.store (i32.const 648) (i64.const 0x55))
    (i32.store (i32.const 656) (i32.const 1))
    (i32.store (i32.const 660) (local.get $size))
    (i32.store8 (i32.const 672) (i32.const 0x64))
    (call $check (call $emit_event (i32.const 640) (i32.const 1) (i32.const 672) (i32.const 1) (call $take (local.get $size)) (local.get $size))))

  (func $add
    (local $old i64) (local $delta i64) (local $new i64)
    (call $key)
    (local.set $delta (call $word))
    (local.set $old (call $get))
    (local.set $new (i64.add (local.get $old) (local.get $delta)))
    (if (i64.lt_s (local.get $new) (i64.const 0)) (then (call $fail (i32.const 34))))
    (call $set (local.get $new)))

  (func $store_word (param $op i32)
    (local $v i64)
    (call $key)
    (local.set $v (call $word))
    (drop (call $get))
    (call $set (local.get $v)))

  (func $step (param $op i32)
    (local $n i32)
    (if (i32.eq (local.get $op) (i32.const 1)) (then (call $add) (return)))
    (if (i32.eq (local.get $op) (i32.const 2)) (then (call $store_word (local.get $op)) (return)))
    (if (i32.eq (local.get $op) (i32.const 3)) (then (call $key) (call $append (call $get)) (return)))
    (if (i32.eq (local.get $op) (i32.const 4)) (then (call $spin (call $word)) (return)))
    (if (i32.eq (local.get $op) (i32.const 5)) (then (call $call) (return)))
    (if (i32.eq (local.get $op) (i32.const 6)) (then
      (call $check (call $current_balance (i32.const 64)))
      (call $append (i64.load (i32.const 64)))
      (return)))
    (if (i32.eq (local.get $op) (i32.const 7)) (then
      (i64.store (i32.const 64) (i64.const 0))
      (call $append (i64.extend_i32_u (call $balance_of (i32.const 64) (call $word))))
      (call $append (i64.load (i32.const 64)))
      (return)))
    (if (i32.eq (local.get $op) (i32.const 8)) (then (call $event) (return)))
    (if (i32.eq (local.get $op) (i32.const 9)) (then (unreachable)))
    (if (i32.eq (local.get $op) (i32.const 10)) (then (call $fail (i32.wrap_i64 (call $word))) (return)))
    (if (i32.eq (local.get $op) (i32.const 11)) (then
      (local.set $n (call $byte))
      (i64.store (i32.const 64) (i64.const 0))
      (call $append (i64.extend_i32_u (call $resolve_address (i32.const 64) (call $take (local.get $n)) (local.get $n))))
      (call $append (i64.load (i32.const 64)))
      (return)))
    (if (i32.eq (local.get $op) (i32.const 12)) (then
      (memory.fill (i32.const 512) (i32.const 0) (i32.const 64))
      (call $append (i64.extend_i32_u (call $code_cid (i32.const 64) (call $word) (i32.const 512) (i32.const 64))))
      (call $append (i64.load (i32.const 542)))
      (return)))
    (if (i32.eq (local.get $op) (i32.const 13)) (then
      (i32.store (i32.const 64) (i32.const 0))
      (call $append (i64.extend_i32_u (call $delegated (i32.const 64) (call $word) (i32.const 512) (i32.const 64))))
      (call $append (i64.extend_i32_u (i32.load (i32.const 64))))
      (return)))
    (if (i32.eq (local.get $op) (i32.const 14)) (then
      (memory.copy (i32.const 512) (call $take (i32.const 38)) (i32.const 38))
      (call $append (i64.extend_i32_u (call $create_actor (call $word) (i32.const 512) (i32.const 0) (i32.const 0))))
      (return)))
    (if (i32.eq (local.get $op) (i32.const 15)) (then (call $construct) (return)))
    (if (i32.eq (local.get $op) (i32.const 16)) (then (call $check (call $self_destruct (i32.const 1))) (return)))
    (if (i32.eq (local.get $op) (i32.const 17)) (then
      (call $open_state)
      (i32.store8 (i32.const 1146) (call $byte))
      (call $save_state)
      (return)))
    (if (i32.eq (local.get $op) (i32.const 18)) (then
      (call $open_state)
      (call $append (i64.extend_i32_u (i32.load8_u (i32.const 1146))))
      (return)))
    (call $fail (i32.const 47)))

  (func (export "invoke") (param $params i32) (result i32)
    (local $op i32)
    (if (local.get $params) (then
      (call $check (call $block_stat (i32.const 16) (local.get $params)))
      (if (i32.gt_u (i32.load (i32.const 24)) (i32.const 16000)) (then (call $fail (i32.const 48))))
      (call $check (call $block_read (i32.const 32) (local.get $params) (i32.const 0) (i32.const 32768) (i32.load (i32.const 24))))))
    (block $done (loop $next
      (local.set $op (call $byte))
      (br_if $done (i32.eqz (local.get $op)))
      (call $step (local.get $op))
      (br $next)))
    (if (i32.eq (global.get $out) (i32.const 8192)) (then (return (i32.const 0))))
    (call $check (call $block_create (i32.const 16) (i64.const 0x51) (i32.const 8192) (i32.sub (global.get $out) (i32.const 8192))))
    (i32.load (i32.const 16))))
