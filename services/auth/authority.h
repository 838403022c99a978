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

namespace entrepot::auth {

// The auth service's domain class: accounts, tokens and policy (proto/entrepot/auth/v1 has the contract of each call).
// Thread-safe; calls block: on the KV, and IssueToken on the hashing of a password, which waits for its turn.
class Authority {
 public:
  struct Dependencies {
    kv::KvEngine* kv;  // Outlives it.
    const Clock* clock;
    std::shared_ptr<prometheus::Registry> registry;
    // Where backups go, and what copies the KV there (account_backups.h). Empty: the KV is another service's to copy.
    std::string backup_directory = {};
    std::function<absl::Status(const std::string& directory)> snapshot_kv = {};
  };

  // Reads the policy and the accounts, and makes the first signing key where there is none. The configuration has its
  // defaults (runtime/config/config_defaults.h). Errors name the file and what is wrong with it.
  static absl::StatusOr<std::unique_ptr<Authority>> Open(const config::v1::Authentication& config,
                                                         const Dependencies& dependencies);
  virtual ~Authority() = default;

  // How many calls of IssueToken may be hashing a password or waiting for their turn (besides those that wait for the
  // answer to the very same credential): an executor has more threads than this, so that the other calls are not kept
  // waiting by them.
  static size_t HashingThreadsMax(const config::v1::Authentication& config);

  virtual absl::StatusOr<v1::IssueTokenResponse> IssueToken(const v1::IssueTokenRequest& request) = 0;
  virtual absl::StatusOr<v1::GetVerificationResponse> GetVerification() = 0;
  virtual absl::StatusOr<std::vector<std::string>> GetReadableRepositories(absl::string_view account) = 0;
  virtual absl::StatusOr<v1::AdministerResponse> Administer(const v1::AdministerRequest& request) = 0;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_AUTHORITY_H_
