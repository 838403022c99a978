#include "services/kv/rocksdb/rocksdb_reads.h"

#include <utility>

#include "services/kv/rocksdb/rocksdb_status.h"
#include "services/status/status_macros.h"

namespace entrepot::kv {

absl::StatusOr<std::optional<std::string>> ReadOne(
    absl::FunctionRef<rocksdb::Status(rocksdb::PinnableSlice* value)> get) {
  // RocksDB writes values that it does not pin into `value` directly, so that no value is copied twice.
  std::string value;
  rocksdb::PinnableSlice slice(&value);
  rocksdb::Status status = get(&slice);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return FromRocksDb(status, "cannot read a key");
  if (slice.IsPinned()) value.assign(slice.data(), slice.size());
  return value;
}

absl::StatusOr<std::vector<std::optional<std::string>>> ReadMany(absl::Span<const std::string> keys,
                                                                 MultiGetCall call) {
  std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
  std::vector<rocksdb::PinnableSlice> found(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  if (!keys.empty()) call(keys.size(), slices.data(), found.data(), statuses.data());
  std::vector<std::optional<std::string>> values(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].IsNotFound()) continue;
    RETURN_IF_ERROR(FromRocksDb(statuses[i], "cannot read several keys"));
    values[i].emplace(found[i].data(), found[i].size());
  }
  return values;
}

absl::StatusOr<std::vector<KeyValue>> ReadRange(const ScanOptions& options, NewIteratorCall new_iterator) {
  std::vector<KeyValue> entries;
  if (options.limit == 0) return entries;
  const std::string end = PrefixEnd(options.prefix);
  const rocksdb::Slice upper_bound(end);
  rocksdb::ReadOptions read_options;
  if (!end.empty()) read_options.iterate_upper_bound = &upper_bound;
  std::unique_ptr<rocksdb::Iterator> iterator(new_iterator(read_options));
  size_t bytes = 0;
  for (iterator->Seek(ScanBegin(options)); iterator->Valid(); iterator->Next()) {
    if (!iterator->key().starts_with(options.prefix)) break;
    entries.push_back({iterator->key().ToString(), iterator->value().ToString()});
    bytes += entries.back().size_bytes();
    if (entries.size() == options.limit || bytes >= options.bytes_max) break;
  }
  RETURN_IF_ERROR(FromRocksDb(iterator->status(), "cannot scan"));
  return entries;
}

}  // namespace entrepot::kv
