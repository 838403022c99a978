#ifndef ENTREPOT_SERVICES_UPSTREAM_LOGIN_CREDENTIAL_HELPER_H_
#define ENTREPOT_SERVICES_UPSTREAM_LOGIN_CREDENTIAL_HELPER_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/core/time/stop_signal.h"

namespace entrepot::upstream {

struct Credentials {
  // "<token>": the password is a refresh token (OAuth 2).
  std::string username;
  std::string password;

  friend bool operator==(const Credentials&, const Credentials&) = default;
};

inline constexpr size_t kCredentialHelperBytesMax = 64 * 1024;

// What a program that speaks the protocol of Docker's credential helpers has for a server: runs `program get` with the
// server's name on its standard input. nullopt: it has no credentials for the server. The program is not run by a
// shell, gets only HOME, PATH, the variables of proxies and those of clouds (AWS_…, AZURE_…, GOOGLE_…, CLOUDSDK_…), and
// is killed with its children after `timeout` and once `stop` is stopped (kCancelled). kUnavailable: it cannot be run,
// fails, takes too long, or returns no credentials or more than 64 KiB; the message has at most what it wrote in
// failing, and never what it wrote in succeeding.
absl::StatusOr<std::optional<Credentials>> RunCredentialHelper(const std::string& program, absl::string_view server,
                                                               const StopSignal& stop,
                                                               absl::Duration timeout = absl::Seconds(10));

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_LOGIN_CREDENTIAL_HELPER_H_
