#ifndef ENTREPOT_SERVICES_UPSTREAM_LOGIN_TOKEN_CACHE_H_
#define ENTREPOT_SERVICES_UPSTREAM_LOGIN_TOKEN_CACHE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/core/lru_map.h"
#include "services/core/time/clock.h"
#include "services/upstream/login/token_answer.h"

namespace entrepot::upstream {

// The tokens of an upstream, one for each key (a server and a scope), shared by all callers. Thread-safe.
class TokenCache {
 public:
  using Request = std::function<absl::StatusOr<IssuedToken>()>;

  explicit TokenCache(const Clock* clock, size_t keys_max = 1024) : clock_(clock), entries_(keys_max) {}

  // The token of the key, from `request` if there is none or if 80 % of its lifetime are over. Of each key one request
  // runs at a time: meanwhile the other callers get the token that still lives, or wait and share the result, which
  // may be an error. If a refresh fails, the token is used until its end.
  absl::StatusOr<std::string> Get(const std::string& key, const Request& request);
  // Forgets a token that the upstream refused, unless another one has replaced it.
  void Drop(const std::string& key, absl::string_view token);

 private:
  struct Entry {
    absl::Mutex mutex;
    absl::CondVar answered;
    bool requesting ABSL_GUARDED_BY(mutex) = false;
    uint64_t answers ABSL_GUARDED_BY(mutex) = 0;
    absl::Status last_answer ABSL_GUARDED_BY(mutex);
    std::string token ABSL_GUARDED_BY(mutex);
    absl::Time refresh_at ABSL_GUARDED_BY(mutex);
    absl::Time expires_at ABSL_GUARDED_BY(mutex);
  };

  std::shared_ptr<Entry> EntryOf(const std::string& key);

  const Clock* const clock_;
  absl::Mutex mutex_;
  LruMap<std::string, std::shared_ptr<Entry>> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_LOGIN_TOKEN_CACHE_H_
