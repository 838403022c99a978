#ifndef ENTREPOT_GATEWAY_API_CONTENT_MANIFEST_BODIES_H_
#define ENTREPOT_GATEWAY_API_CONTENT_MANIFEST_BODIES_H_

#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "gateway/body/body.h"
#include "gateway/http/message.h"
#include "services/core/digest.h"

namespace entrepot::gateway::api {

// The bodies of responses with manifests. All responses under way with one manifest share its bytes, so that many slow
// readers of a large manifest take its memory once. Small manifests are not shared, which costs nothing. Thread-safe.
class ManifestBodies {
 public:
  // The body with `content`, which has this digest. The first response with a manifest counts for its client. 503: no
  // memory for it (gateway/http/memory_budget.h).
  absl::StatusOr<Body> Make(const http::Request& request, const Digest& digest, std::string content);

 private:
  SharedBytes Find(const std::string& digest);
  SharedBytes Keep(const std::string& digest, SharedBytes bytes);
  void ForgetSent() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  std::map<std::string, std::weak_ptr<const std::string>> by_digest_ ABSL_GUARDED_BY(mutex_);
  // by_digest_ drops the manifests that no response has any more once it reaches this size.
  size_t forget_at_ ABSL_GUARDED_BY(mutex_) = 64;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_CONTENT_MANIFEST_BODIES_H_
