#ifndef ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_LOGGER_H_
#define ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_LOGGER_H_

#include <cstdarg>
#include <functional>
#include <utility>

#include "absl/strings/string_view.h"
#include "rocksdb/env.h"

namespace entrepot::kv {

// Passes RocksDB's warnings and errors to a function. RocksDB's own log file would be on the disk whose errors it
// reports, and Debian's build aborts at the first line after one that could not be written.
class RocksDbLogger : public rocksdb::Logger {
 public:
  // `sink` is called on any thread with one line, without its line end. It may be empty.
  explicit RocksDbLogger(std::function<void(absl::string_view)> sink)
      : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL), sink_(std::move(sink)) {}

  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override;

 private:
  const std::function<void(absl::string_view)> sink_;
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_LOGGER_H_
