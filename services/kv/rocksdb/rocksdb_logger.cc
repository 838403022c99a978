#include "services/kv/rocksdb/rocksdb_logger.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>

namespace entrepot::kv {

void RocksDbLogger::Logv(const char* format, va_list arguments) {
  if (!sink_) return;
  char line[1024];
  const int length = std::vsnprintf(line, sizeof(line), format, arguments);
  if (length > 0) sink_(absl::string_view(line, std::min(static_cast<size_t>(length), sizeof(line) - 1)));
}

}  // namespace entrepot::kv
