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
#include "gateway/api/request/verified_token.h"

namespace entrepot::gateway::api {

// Tokens that were verified, by their text, so that none is verified twice while it lives. Bounded by the bytes of
// their texts; those that were not asked for lately go first. Whether one has expired is for the caller to see.
// Thread-safe.
//
// The text is the key, not a digest of it: whoever could read this memory could read the requests too.
class TokenCache {
 public:
  explicit TokenCache(size_t bytes_max) : generation_bytes_max_(bytes_max / kShards / 2) {}

  // nullptr where it is not there.
  std::shared_ptr<const VerifiedToken> Find(absl::string_view text);
  void Insert(absl::string_view text, std::shared_ptr<const VerifiedToken> token);

 private:
  using Map = absl::flat_hash_map<std::string, std::shared_ptr<const VerifiedToken>>;

  // Two generations: what is asked for moves to the young one; once that is full, the old one goes and it gets old.
  struct alignas(64) Shard {
    absl::Mutex mutex;
    Map young ABSL_GUARDED_BY(mutex);
    Map old ABSL_GUARDED_BY(mutex);
    size_t young_bytes ABSL_GUARDED_BY(mutex) = 0;
  };
  static constexpr size_t kShards = 16;

  Shard& ShardOf(absl::string_view text);
  // Returns what is to be destroyed without the lock.
  Map InsertLocked(Shard& shard, std::string text, std::shared_ptr<const VerifiedToken> token)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);

  const size_t generation_bytes_max_;
  std::array<Shard, kShards> shards_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_AUTH_TOKEN_CACHE_H_
