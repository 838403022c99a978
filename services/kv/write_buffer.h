#ifndef ENTREPOT_SERVICES_KV_WRITE_BUFFER_H_
#define ENTREPOT_SERVICES_KV_WRITE_BUFFER_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/kv/kv_engine.h"

// The parts of a transaction over a map in memory, for engines that keep their entries in one.
namespace entrepot::kv {

using Entries = std::map<std::string, std::string, std::less<>>;

// The writes of one transaction before its commit, and reads that see them. Not thread-safe.
class WriteBuffer {
 public:
  // nullopt: deleted.
  using Writes = std::map<std::string, std::optional<std::string>, std::less<>>;

  WriteBuffer() = default;
  // `locks`, in locking order, are those that the transaction holds; they must outlive the buffer.
  explicit WriteBuffer(const std::vector<Lock>* locks) : locks_(locks) {}

  void Put(absl::string_view key, absl::string_view value) { Write(key, std::string(value)); }
  void Delete(absl::string_view key) { Write(key, std::nullopt); }

  // OK, or the first error of CheckWritable(); later writes are dropped then, and nothing may be committed.
  const absl::Status& status() const { return status_; }
  const Writes& writes() const { return writes_; }

  // What the transaction reads: `entries` with its own writes applied.
  std::optional<std::string> Get(const Entries& entries, absl::string_view key) const;
  std::vector<KeyValue> Scan(const Entries& entries, const ScanOptions& options) const;

 private:
  void Write(absl::string_view key, std::optional<std::string> value);

  const std::vector<Lock>* const locks_ = nullptr;
  Writes writes_;
  absl::Status status_;
};

// Applies `writes` to `entries`, and returns the previous values of their keys. Applying those undoes the writes.
WriteBuffer::Writes Apply(const WriteBuffer::Writes& writes, Entries* entries);

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_WRITE_BUFFER_H_
