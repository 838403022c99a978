#ifndef ENTREPOT_SERVICES_AUTH_IDENTITY_REMOTE_KEY_SET_H_
#define ENTREPOT_SERVICES_AUTH_IDENTITY_REMOTE_KEY_SET_H_

#include <functional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/auth/identity/key_set_source.h"
#include "services/core/time/clock.h"

namespace entrepot::auth {

// A key set that is fetched from a server and cached. One thread at a time fetches. The others use the cached keys; if
// there are none, a few of them wait, so that a slow server cannot block all threads.
class RemoteKeySet final : public KeySetSource {
 public:
  // Returns the text of the key set. May block for some seconds.
  using Fetch = std::function<absl::StatusOr<std::string>()>;

  // Keys are fetched again when they are this old. The old ones are used until then, and if fetching fails.
  static constexpr absl::Duration kFetchAgainAfter = absl::Minutes(5);
  // Keys are not used for longer than this: the provider may have withdrawn them.
  static constexpr absl::Duration kStaleMax = absl::Hours(24);
  // The least time between two fetches, whatever kids tokens name and however often fetches fail.
  static constexpr absl::Duration kFetchInterval = absl::Seconds(30);
  // The same while there are no keys at all.
  static constexpr absl::Duration kFirstFetchInterval = absl::Seconds(5);
  static constexpr int kWaitersMax = 4;

  // `name` is for the log. `clock` must outlive this object.
  RemoteKeySet(std::string name, Fetch fetch, const Clock* clock);

  absl::StatusOr<Keys> Get() override;
  absl::StatusOr<Keys> GetNewer() override;

 private:
  bool HasKeysYoungerThan(absl::Duration age, absl::Time now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool MayFetch(absl::Time now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The cached keys.
  absl::StatusOr<Keys> Known(absl::Time now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WaitForFetch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FetchNow(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string name_;
  const Fetch fetch_;
  const Clock& clock_;

  absl::Mutex mutex_;
  Keys keys_ ABSL_GUARDED_BY(mutex_);
  absl::Time fetched_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::Time tried_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  bool fetching_ ABSL_GUARDED_BY(mutex_) = false;
  int waiters_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_IDENTITY_REMOTE_KEY_SET_H_
