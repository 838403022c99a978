#ifndef ENTREPOT_SERVICES_UPSTREAM_FETCH_CLAIM_KEEPER_H_
#define ENTREPOT_SERVICES_UPSTREAM_FETCH_CLAIM_KEEPER_H_

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/core/digest.h"
#include "services/core/fetch_claim.h"
#include "services/core/time/stop_signal.h"
#include "services/upstream/store/cache_store.h"

namespace entrepot::upstream {

// The claims of this process on fetches (CacheStore::ClaimFetch). Its fetches of one digest of an upstream share a
// claim. A thread renews the claims, whatever the upstreams do meanwhile. If a claim cannot be renewed in time, another
// process may fetch the blob too, which does no harm. Thread-safe; calls block on the store.
class ClaimKeeper {
 public:
  struct Options {
    // Names this upstream service among those of the store; the same after a restart.
    std::string holder;
    // How long the others wait if this process is killed. A restart of the manifest service takes less.
    absl::Duration lifetime = absl::Seconds(10);
    absl::Duration renewal_interval = absl::Seconds(3);
  };

  // Gives the claim up when it is destroyed, unless another fetch of this process has it too. That blocks.
  class Claim {
   public:
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    ~Claim() { keeper_.Release(key_); }

   private:
    friend class ClaimKeeper;
    using Key = std::pair<std::string, std::string>;  // Upstream, digest.
    Claim(ClaimKeeper* keeper, Key key) : keeper_(*keeper), key_(std::move(key)) {}

    ClaimKeeper& keeper_;
    const Key key_;
  };

  // `store` outlives it.
  ClaimKeeper(CacheStore* store, Options options);
  // All claims have been given up.
  ~ClaimKeeper();

  // Null if another process has the claim. Errors are those of the store.
  absl::StatusOr<std::unique_ptr<Claim>> Take(const std::string& upstream, const Digest& digest);

 private:
  using Key = Claim::Key;
  struct Held {
    FetchClaim claim;
    size_t users = 0;
  };

  void Release(const Key& key);
  // The body of the thread.
  void Renew();
  void RenewOne(const Key& key);
  // Waits until no call about the claim runs.
  void AwaitIdle(const Key& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EndCall(const Key& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  CacheStore& store_;
  const Options options_;
  StopSignal stop_;
  absl::Mutex mutex_;
  absl::CondVar changed_;
  std::map<Key, Held> held_ ABSL_GUARDED_BY(mutex_);
  // Those about which a call to the store runs: a claim that is given up and one that is taken must not overtake one
  // another.
  std::set<Key> calling_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_FETCH_CLAIM_KEEPER_H_
