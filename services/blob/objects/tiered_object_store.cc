#include "services/blob/objects/tiered_object_store.h"

#include <iterator>

#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

// Lists are in the order of the keys: files (f…), then values (k…). This text is between them: greater than the key of
// every file, less than the key of every value.
constexpr absl::string_view kBehindFiles = "k";

}  // namespace

ObjectStore& TieredObjectStore::TierOf(const StorageKey& key) {
  return key.tier() == StorageTier::kFile ? files_ : values_;
}

absl::StatusOr<OpenObject> TieredObjectStore::Open(const StorageKey& key) { return TierOf(key).Open(key); }

absl::StatusOr<OpenObject> TieredObjectStore::OpenInMemory(const StorageKey& key) {
  return TierOf(key).OpenInMemory(key);
}

absl::Status TieredObjectStore::Delete(const StorageKey& key) {
  RETURN_IF_ERROR(gate_.Check());
  return TierOf(key).Delete(key);
}

absl::Status TieredObjectStore::ReadFromDisk(const StorageKey& key,
                                             const std::function<bool(absl::string_view)>& take) {
  return TierOf(key).ReadFromDisk(key, take);
}

absl::Status TieredObjectStore::Quarantine(const StorageKey& key) {
  RETURN_IF_ERROR(gate_.Check());
  return TierOf(key).Quarantine(key);
}

absl::StatusOr<ObjectList> TieredObjectStore::List(absl::string_view start_after, size_t limit) {
  if (start_after >= kBehindFiles) return values_.List(start_after, limit);
  ASSIGN_OR_RETURN(ObjectList list, files_.List(start_after, limit));
  if (list.more) return list;
  if (list.objects.size() == limit) {
    list.more = true;
    return list;
  }
  ASSIGN_OR_RETURN(ObjectList values, values_.List(kBehindFiles, limit - list.objects.size()));
  std::move(values.objects.begin(), values.objects.end(), std::back_inserter(list.objects));
  list.more = values.more;
  return list;
}

}  // namespace entrepot::blob
