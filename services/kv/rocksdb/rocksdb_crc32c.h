#ifndef ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_CRC32C_H_
#define ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_CRC32C_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace entrepot::kv {

// The CRC-32C (Castagnoli) of RocksDB's logs, computed piece by piece.
class Crc32c {
 public:
  void Add(absl::string_view bytes);
  uint32_t value() const { return ~state_; }

 private:
  uint32_t state_ = ~uint32_t{0};
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_CRC32C_H_
