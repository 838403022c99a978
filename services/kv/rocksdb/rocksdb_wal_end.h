#ifndef ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_WAL_END_H_
#define ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_WAL_END_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot::kv {

// Where the last whole record of a RocksDB write-ahead log ends, which may be before the end of its bytes: a power cut
// leaves the record that was being written torn.
//
// Torn is a record only where its bytes are missing, that is, lie behind the end of the file, or of the last disk
// sector that is not all zero: those were never written. Everything else that does not check is damage, which may be to
// records that were acknowledged as durable: kDataLoss, with the offset. What cannot be told apart is a torn last
// record and a last record that lost its last sectors later.
//
// The format, RocksDB's log_format.h: blocks of 32 KiB, each of fragments that do not cross a block:
//   crc32c, masked (4 bytes) | length (2) | type (1: whole, 2: first, 3: middle, 4: last) | payload
// the checksum over type and payload, integers little-endian, and less than 7 bytes at the end of a block left zero.
absl::StatusOr<uint64_t> FindWalEnd(absl::string_view log);

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_WAL_END_H_
