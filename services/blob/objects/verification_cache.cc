#include "services/blob/objects/verification_cache.h"

#include <algorithm>
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

std::shared_ptr<SharedHash> VerificationCache::HashOf(const StorageKey& key, const ObjectVersion& version,
                                                      const Digest& digest) {
  absl::MutexLock lock(&mutex_);
  Running& running = running_[key.ToString()];
  if (std::shared_ptr<SharedHash> hash = running.hash.lock();
      hash != nullptr && running.version == version && hash->digest() == digest) {
    return hash;
  }
  auto hash = std::make_shared<SharedHash>(
      digest, version.size_bytes, [this, key, version, digest](bool good) { Record(key, version, digest, good); });
  running = {.version = version, .hash = hash};
  if (running_.size() > running_max_) ForgetEndedLocked();
  return hash;
}

void VerificationCache::ForgetEndedLocked() {
  absl::erase_if(running_, [](const auto& entry) { return entry.second.hash.expired(); });
  running_max_ = std::max<size_t>(64, 2 * running_.size());
}

void VerificationCache::Record(const StorageKey& key, const ObjectVersion& version, const Digest& digest, bool good) {
  Finding finding{.version = version, .digest = digest.ToString(), .found_at = clock_.Now(), .good = good};
  absl::MutexLock lock(&mutex_);
  objects_[key.ToString()] = std::move(finding);
}

}  // namespace entrepot::blob
