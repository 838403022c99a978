#ifndef ENTREPOT_SERVICES_UPSTREAM_LOGIN_CREDENTIAL_SOURCE_H_
#define ENTREPOT_SERVICES_UPSTREAM_LOGIN_CREDENTIAL_SOURCE_H_

#include <mutex>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "entrepot/config/v1/upstreams.pb.h"
#include "services/core/time/clock.h"
#include "services/core/time/stop_signal.h"
#include "services/upstream/login/credential_helper.h"

namespace entrepot::upstream {

// The credentials of one upstream. Thread-safe; calls may block on a file or a program.
class CredentialSource {
 public:
  // `helper_server` is what a credential helper knows the upstream by. `clock` and `stop` outlive the source.
  CredentialSource(config::v1::UpstreamCredentials entry, std::string helper_server, const Clock* clock,
                   const StopSignal* stop);

  // nullopt: log in anonymously. The password file is read at each call; the first one logs a warning if other users
  // may read it. A helper runs once at a time, and its answer
  // is used for the entry's `helper_lifetime`; its failure for 5 s. kUnavailable: the file or the helper gives none.
  // kCancelled: `stop` is stopped.
  absl::StatusOr<std::optional<Credentials>> Get();
  // Does not use these credentials of a helper again, if they are at least `age_min` old. Returns whether the next
  // Get() may return others.
  bool Drop(const Credentials& refused, absl::Duration age_min = absl::ZeroDuration());

 private:
  absl::StatusOr<std::optional<Credentials>> ReadFile();
  absl::StatusOr<std::optional<Credentials>> AskHelper();

  const config::v1::UpstreamCredentials entry_;
  const std::string helper_server_;
  const absl::Duration helper_lifetime_;
  const Clock* const clock_;
  const StopSignal* const stop_;
  std::once_flag warned_;
  // Held while the helper runs.
  absl::Mutex mutex_;
  std::optional<absl::StatusOr<std::optional<Credentials>>> answer_ ABSL_GUARDED_BY(mutex_);
  absl::Time answered_at_ ABSL_GUARDED_BY(mutex_);
};

// What credential helpers know an upstream by: https://index.docker.io/v1/ for the Docker Hub, and the host, with the
// port if the URL has one, for others.
std::string CredentialHelperServer(const config::v1::Upstream& upstream);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_LOGIN_CREDENTIAL_SOURCE_H_
