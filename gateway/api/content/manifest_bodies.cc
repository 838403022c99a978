#include "gateway/api/content/manifest_bodies.h"

#include <algorithm>
#include <utility>

#include "gateway/api/request/counted_body.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {

absl::StatusOr<Body> ManifestBodies::Make(const http::Request& request, const Digest& digest, std::string content) {
  if (content.size() <= http::MemoryBudget::kUncountedBytes) return Body(std::move(content));
  const std::string& name = digest.ToString();
  if (SharedBytes shared = Find(name)) return Body(std::move(shared));
  ASSIGN_OR_RETURN(SharedBytes bytes, CountedBytes(request, std::move(content)));
  return Body(Keep(name, std::move(bytes)));
}

SharedBytes ManifestBodies::Find(const std::string& digest) {
  absl::MutexLock lock(&mutex_);
  const auto found = by_digest_.find(digest);
  return found == by_digest_.end() ? nullptr : found->second.lock();
}

// Another response may have kept the same manifest since Find().
SharedBytes ManifestBodies::Keep(const std::string& digest, SharedBytes bytes) {
  absl::MutexLock lock(&mutex_);
  if (by_digest_.size() >= forget_at_) ForgetSent();
  std::weak_ptr<const std::string>& kept = by_digest_[digest];
  if (SharedBytes earlier = kept.lock()) return earlier;
  kept = bytes;
  return bytes;
}

void ManifestBodies::ForgetSent() {
  std::erase_if(by_digest_, [](const auto& entry) { return entry.second.expired(); });
  forget_at_ = std::max<size_t>(64, 2 * by_digest_.size());
}

}  // namespace entrepot::gateway::api
