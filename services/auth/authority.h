#ifndef ENTREPOT_SERVICES_AUTH_AUTHORITY_H_
#define ENTREPOT_SERVICES_AUTH_AUTHORITY_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/auth/v1/auth_service.pb.h"
#include "entrepot/config/v1/authentication.pb.h"
#include "prometheus/registry.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"
#include "services/policy/policy.h"

namespace entrepot::auth {

// Authority: the auth service without its gRPC side, which owns accounts, tokens and policy (proto/entrepot/auth/v1 has
// the contract of each call). Thread-safe. Calls block on the KV; IssueToken also blocks while a password is hashed,
// and until a slot for hashing is free.
class Authority {
 public:
  struct Dependencies {
    kv::KvEngine* kv;  // Must outlive the authority, like the clock.
    const Clock* clock;
    std::shared_ptr<prometheus::Registry> registry;
    // The directory of backups, and the function that copies the KV there (admin/account_backups.h). Empty if another
    // service backs up the KV.
    std::string backup_directory = {};
    std::function<absl::Status(const std::string& directory)> snapshot_kv = {};
  };

  // Reads the policy and the accounts, and creates the first signing key if there is none. The configuration must have
  // its defaults (runtime/config/config_defaults.h). Errors name the file and the problem.
  static absl::StatusOr<std::unique_ptr<Authority>> Open(const config::v1::Authentication& config,
                                                         const Dependencies& dependencies);
  virtual ~Authority() = default;

  // The policy in force. Never null. A process that has an authority must read the policy from it: a second reader of
  // the file would see another policy for a moment, and log each change again.
  virtual std::shared_ptr<const policy::Policy> policy() const = 0;

  // Whether an authority has been opened with the KV before: its registry has accounts.
  static absl::StatusOr<bool> WasOpened(kv::KvReader& kv);

  // How many calls of IssueToken may hash a password or wait for a slot at the same time (not counting those that wait
  // for the result of the same credential). An executor needs more threads than this, so that they do not delay other
  // calls.
  static size_t HashingThreadsMax(const config::v1::Authentication& config);

  virtual absl::StatusOr<v1::IssueTokenResponse> IssueToken(const v1::IssueTokenRequest& request) = 0;
  virtual absl::StatusOr<v1::GetVerificationResponse> GetVerification() = 0;
  virtual absl::StatusOr<std::vector<std::string>> GetReadableRepositories(absl::string_view account) = 0;
  virtual absl::StatusOr<v1::AdministerResponse> Administer(const v1::AdministerRequest& request) = 0;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_AUTHORITY_H_
