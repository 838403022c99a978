#include "services/blob/objects/verified_objects.h"

#include <utility>

namespace entrepot::blob {

ObjectTrust VerifiedObjects::Find(const StorageKey& key, const ObjectVersion& version, const Digest& digest) {
  const absl::Time now = clock_.Now();
  absl::MutexLock lock(&mutex_);
  const Finding* finding = objects_.Find(key.ToString());
  if (finding == nullptr || finding->version != version) return ObjectTrust::kUnknown;
  if (finding->digest != digest.ToString()) return ObjectTrust::kUnknown;
  if (!finding->good) return ObjectTrust::kCorrupt;
  // A clock that was set back says nothing of how long ago that was.
  const bool fresh = finding->found_at <= now && now < finding->found_at + kGoodFor;
  return fresh ? ObjectTrust::kGood : ObjectTrust::kUnknown;
}

bool VerifiedObjects::IsCorrupt(const StorageKey& key, const ObjectVersion& version) {
  absl::MutexLock lock(&mutex_);
  const Finding* finding = objects_.Find(key.ToString());
  return finding != nullptr && finding->version == version && !finding->good;
}

void VerifiedObjects::Enter(const StorageKey& key, const ObjectVersion& version, const Digest& digest, bool good) {
  Finding finding{.version = version, .digest = digest.ToString(), .found_at = clock_.Now(), .good = good};
  absl::MutexLock lock(&mutex_);
  objects_[key.ToString()] = std::move(finding);
}

}  // namespace entrepot::blob
