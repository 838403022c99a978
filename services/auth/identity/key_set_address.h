#ifndef ENTREPOT_SERVICES_AUTH_IDENTITY_KEY_SET_ADDRESS_H_
#define ENTREPOT_SERVICES_AUTH_IDENTITY_KEY_SET_ADDRESS_H_

#include <functional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/auth/identity/key_set_source.h"
#include "services/core/time/clock.h"

namespace entrepot::auth {

// Keys from a server. One thread at a time asks it; the others take the keys that are known, or wait for it, a few of
// them, so that a slow server cannot hold all threads.
class KeySetAddress final : public KeySetSource {
 public:
  // The text of a key set. May block for some seconds.
  using Fetch = std::function<absl::StatusOr<std::string>()>;

  // Keys are fetched again when they are this old. Meanwhile, and where that fails, the old ones are taken,
  static constexpr absl::Duration kFetchAgainAfter = absl::Minutes(5);
  // but no longer than this: its keys may have been withdrawn.
  static constexpr absl::Duration kStaleMax = absl::Hours(24);
  // The least time between two fetches, whatever kids tokens name and however often fetches fail,
  static constexpr absl::Duration kFetchInterval = absl::Seconds(30);
  // where there are no keys at all.
  static constexpr absl::Duration kFirstFetchInterval = absl::Seconds(5);
  static constexpr int kWaitersMax = 4;

  // `name` is for the log. `clock` outlives it.
  KeySetAddress(std::string name, Fetch fetch, const Clock* clock);

  absl::StatusOr<Keys> Get() override;
  absl::StatusOr<Keys> GetNewer() override;

 private:
  bool HasKeysYoungerThan(absl::Duration age, absl::Time now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool MayFetch(absl::Time now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What there is.
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

#endif  // ENTREPOT_SERVICES_AUTH_IDENTITY_KEY_SET_ADDRESS_H_
