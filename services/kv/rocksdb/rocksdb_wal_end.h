#ifndef ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_WAL_END_H_
#define ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_WAL_END_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot::kv {

// The version of RocksDB whose db/log_format.h the check below was written for.
inline constexpr int kCheckedWalMajor = 7;
inline constexpr int kCheckedWalMinor = 8;

// The offset at which the last whole record of a RocksDB write-ahead log ends. It may be less than the size of `log`: a
// power cut tears the record that is being written.
//
// A record is torn only if its bytes are missing: they lie behind the end of the file, or behind the last disk sector
// that is not all zero, and so were never written. kDataLoss, with the offset, for any other record that fails the
// check: it is damaged, and may have been acknowledged as durable. A torn last record and a last record that lost its
// last sectors later look the same.
//
// kUnimplemented if an intact record has a type that this check does not know, as a later RocksDB or another
// configuration may write.
//
// The format (db/log_format.h): blocks of 32 KiB, each made of fragments that do not cross a block:
//   crc32c, masked (4 bytes) | length (2) | type (1: whole, 2: first, 3: middle, 4: last) | payload
// The checksum covers type and payload. Integers are little-endian. The last bytes of a block stay zero if there are
// fewer than 7. Fragments of recycled logs have 4 more bytes of header, which the checksum covers and the length does
// not.
absl::StatusOr<uint64_t> FindWalEnd(absl::string_view log);

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_WAL_END_H_
