#include "services/blob/objects/verification_cache.h"

#include <utility>

namespace entrepot::blob {

ObjectTrust VerificationCache::Find(const StorageKey& key, const ObjectVersion& version, const Digest& digest) {
  const absl::Time now = clock_.Now();
  absl::MutexLock lock(&mutex_);
  const Finding* finding = objects_.Find(key.ToString());
  if (finding == nullptr || finding->version != version) return ObjectTrust::kUnknown;
  if (finding->digest != digest.ToString()) return ObjectTrust::kUnknown;
  if (!finding->good) return ObjectTrust::kCorrupt;
  // After the clock was set back, the age of the result is not known.
  const bool fresh = finding->found_at <= now && now < finding->found_at + kGoodFor;
  return fresh ? ObjectTrust::kGood : ObjectTrust::kUnknown;
}

bool VerificationCache::IsCorrupt(const StorageKey& key, const ObjectVersion& version) {
  absl::MutexLock lock(&mutex_);
  const Finding* finding = objects_.Find(key.ToString());
  return finding != nullptr && finding->version == version && !finding->good;
}

void VerificationCache::Record(const StorageKey& key, const ObjectVersion& version, const Digest& digest, bool good) {
  Finding finding{.version = version, .digest = digest.ToString(), .found_at = clock_.Now(), .good = good};
  absl::MutexLock lock(&mutex_);
  objects_[key.ToString()] = std::move(finding);
}

}  // namespace entrepot::blob
