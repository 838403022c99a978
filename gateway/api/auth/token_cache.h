#ifndef ENTREPOT_GATEWAY_API_AUTH_TOKEN_CACHE_H_
#define ENTREPOT_GATEWAY_API_AUTH_TOKEN_CACHE_H_

#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "gateway/api/request/access_token.h"

namespace entrepot::gateway::api {

// Caches verified tokens by their text, so that a token is verified once. Bounded by the bytes of the texts; the least
// recently used tokens are dropped first. The caller checks whether a token has expired. Thread-safe.
//
// The key is the text, not its digest: an attacker that can read this memory can read the requests too.
class TokenCache {
 public:
  explicit TokenCache(size_t bytes_max) : generation_bytes_max_(bytes_max / kShards / 2) {}

  // nullptr if the token is not cached.
  std::shared_ptr<const AccessToken> Find(absl::string_view text);
  void Insert(absl::string_view text, std::shared_ptr<const AccessToken> token);

 private:
  using Map = absl::flat_hash_map<std::string, std::shared_ptr<const AccessToken>>;

  // Two generations. A token that is used moves to the young one. When that is full, the old one is dropped and the
  // young one becomes old.
  struct alignas(64) Shard {
    absl::Mutex mutex;
    Map young ABSL_GUARDED_BY(mutex);
    Map old ABSL_GUARDED_BY(mutex);
    size_t young_bytes ABSL_GUARDED_BY(mutex) = 0;
  };
  static constexpr size_t kShards = 16;

  Shard& ShardOf(absl::string_view text);
  // Returns the entries to destroy after the lock is released.
  Map InsertLocked(Shard& shard, std::string text, std::shared_ptr<const AccessToken> token)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);

  const size_t generation_bytes_max_;
  std::array<Shard, kShards> shards_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_AUTH_TOKEN_CACHE_H_
