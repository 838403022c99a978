#include "services/blob/objects/tiered_object_store.h"

#include <iterator>
#include <map>
#include <utility>

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

std::vector<absl::Status> TieredObjectStore::DeleteAll(const std::vector<StorageKey>& keys) {
  std::vector<absl::Status> statuses(keys.size(), gate_.Check());
  if (keys.empty() || !statuses.front().ok()) return statuses;
  // The keys of each tier, and where they are among all.
  std::map<ObjectStore*, std::pair<std::vector<StorageKey>, std::vector<size_t>>> tiers;
  for (size_t i = 0; i < keys.size(); ++i) {
    auto& [of_tier, indexes] = tiers[&TierOf(keys[i])];
    of_tier.push_back(keys[i]);
    indexes.push_back(i);
  }
  for (const auto& [tier, part] : tiers) {
    const std::vector<absl::Status> results = tier->DeleteAll(part.first);
    for (size_t i = 0; i < results.size(); ++i) statuses[part.second[i]] = results[i];
  }
  return statuses;
}

absl::Status TieredObjectStore::ReadFromDisk(const StorageKey& key,
                                             const std::function<bool(absl::string_view)>& take) {
  return TierOf(key).ReadFromDisk(key, take);
}

absl::Status TieredObjectStore::Quarantine(const StorageKey& key) {
  RETURN_IF_ERROR(gate_.Check());
  return TierOf(key).Quarantine(key);
}

absl::StatusOr<Waiting> TieredObjectStore::CountQuarantined(size_t limit) {
  ASSIGN_OR_RETURN(Waiting quarantined, files_.CountQuarantined(limit));
  ASSIGN_OR_RETURN(const Waiting values, values_.CountQuarantined(limit - quarantined.count));
  quarantined.Add(values);
  return quarantined;
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
