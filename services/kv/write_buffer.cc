#include "services/kv/write_buffer.h"

#include <utility>

#include "absl/strings/match.h"
#include "services/kv/lock_table.h"

namespace entrepot::kv {

void WriteBuffer::Write(absl::string_view key, std::optional<std::string> value) {
  if (status_.ok() && locks_ != nullptr) status_ = CheckWritable(*locks_, key);
  if (status_.ok()) writes_.insert_or_assign(std::string(key), std::move(value));
}

std::optional<std::string> WriteBuffer::Get(const Entries& entries, absl::string_view key) const {
  if (const auto write = writes_.find(key); write != writes_.end()) return write->second;
  const auto entry = entries.find(key);
  return entry == entries.end() ? std::nullopt : std::optional<std::string>(entry->second);
}

std::vector<KeyValue> WriteBuffer::Scan(const Entries& entries, const ScanOptions& options) const {
  const std::string begin = ScanBegin(options);
  std::vector<KeyValue> found;
  auto entry = entries.lower_bound(begin);
  auto write = writes_.lower_bound(begin);
  size_t bytes = 0;
  while (found.size() < options.limit && bytes < options.bytes_max &&
         (entry != entries.end() || write != writes_.end())) {
    const bool from_writes = write != writes_.end() && (entry == entries.end() || write->first <= entry->first);
    const std::string& key = from_writes ? write->first : entry->first;
    if (!absl::StartsWith(key, options.prefix)) break;
    if (!from_writes) {
      found.push_back({key, entry->second});
      bytes += found.back().size_bytes();
    } else if (write->second.has_value()) {
      found.push_back({key, *write->second});
      bytes += found.back().size_bytes();
    }
    if (from_writes && entry != entries.end() && entry->first == key) ++entry;
    from_writes ? void(++write) : void(++entry);
  }
  return found;
}

WriteBuffer::Writes Apply(const WriteBuffer::Writes& writes, Entries* entries) {
  WriteBuffer::Writes before;
  for (const auto& [key, value] : writes) {
    const auto entry = entries->find(key);
    before[key] = entry == entries->end() ? std::nullopt : std::optional<std::string>(entry->second);
    if (value.has_value()) {
      entries->insert_or_assign(key, *value);
    } else if (entry != entries->end()) {
      entries->erase(entry);
    }
  }
  return before;
}

}  // namespace entrepot::kv
