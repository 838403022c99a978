#include "services/auth/authority.h"

#include <optional>
#include <utility>

#include "services/auth/accounts/account_directory.h"
#include "services/auth/accounts/accounts_file.h"
#include "services/auth/accounts/audit_trail.h"
#include "services/auth/accounts/last_uses.h"
#include "services/auth/accounts/permissions.h"
#include "services/auth/accounts/subject_search.h"
#include "services/auth/admin/account_backups.h"
#include "services/auth/admin/admin_commands.h"
#include "services/auth/authenticator.h"
#include "services/auth/credentials/attempt_limits.h"
#include "services/auth/credentials/password_verifier.h"
#include "services/auth/identity/identity_providers.h"
#include "services/auth/identity/recent_identities.h"
#include "services/auth/records/account_name.h"
#include "services/auth/records/auth_format.h"
#include "services/auth/records/auth_metrics.h"
#include "services/auth/token_issuer.h"
#include "services/auth/tokens/refresh_tokens.h"
#include "services/auth/tokens/signing_key_set.h"
#include "services/policy/policy_file.h"
#include "services/runtime/config/config_defaults.h"
#include "services/runtime/log/audit_log.h"
#include "services/status/status_macros.h"
#include "services/token/signature_algorithm.h"

namespace entrepot::auth {
namespace {

// The parts that read files. The policy is the last, because it looks for the accounts that it names.
struct Files {
  std::unique_ptr<AccountsFile> accounts_file;
  std::unique_ptr<AccountDirectory> accounts;
  std::unique_ptr<runtime::AuditLog> audit;
  std::unique_ptr<policy::PolicyFile> policy;
};

absl::StatusOr<Files> OpenFiles(const config::v1::Authentication& config, const Authority::Dependencies& dependencies) {
  const std::shared_ptr<prometheus::Registry>& registry = dependencies.registry;
  Files files;
  ASSIGN_OR_RETURN(files.accounts_file, AccountsFile::Open(config.accounts_file(), registry));
  files.accounts = std::make_unique<AccountDirectory>(dependencies.kv, dependencies.clock, files.accounts_file.get());
  ASSIGN_OR_RETURN(files.audit, runtime::AuditLog::Open(config.audit_file(), registry));
  const auto warn = [accounts = files.accounts.get()](const policy::Policy& policy) {
    LogUnknownSubjects(policy, *accounts);
  };
  ASSIGN_OR_RETURN(files.policy, policy::PolicyFile::Open(config.policy_file(), registry, absl::Seconds(1),
                                                          policy::Accounts::kSome, warn));
  return files;
}

absl::StatusOr<std::unique_ptr<SigningKeySet>> OpenKeys(const config::v1::Authentication& config, kv::KvEngine* kv,
                                                        const Clock* clock) {
  ASSIGN_OR_RETURN(const token::SignatureAlgorithm algorithm,
                   token::ParseSignatureAlgorithm(config.signing_algorithm()));
  return SigningKeySet::Open(kv, clock,
                             {.algorithm = algorithm, .token_lifetime = runtime::ToDuration(config.token_lifetime())});
}

AttemptLimits::Options LimitsOf(const config::v1::Authentication& config) {
  AttemptLimits::Options options;
  options.failures_max = static_cast<int>(config.failed_attempts_max());
  options.interval = runtime::ToDuration(config.failed_attempt_interval());
  return options;
}

class KvAuthority : public Authority {
 public:
  KvAuthority(const config::v1::Authentication& config, const Dependencies& dependencies, Files files,
              std::unique_ptr<SigningKeySet> keys)
      : issuer_(config.issuer()),
        service_(config.service()),
        files_(std::move(files)),
        keys_(std::move(keys)),
        metrics_(dependencies.registry),
        audit_(files_.audit.get()),
        accounts_(*files_.accounts),
        passwords_(dependencies.clock, config.password_hashes_max(), &metrics_),
        refresh_tokens_(dependencies.kv, dependencies.clock, runtime::ToDuration(config.refresh_token_lifetime())),
        limits_(dependencies.clock, LimitsOf(config)),
        last_uses_(dependencies.kv, dependencies.clock),
        identity_providers_(dependencies.clock),
        backups_(dependencies.backup_directory, dependencies.snapshot_kv),
        authenticator_({.accounts = &accounts_,
                        .passwords = &passwords_,
                        .refresh_tokens = &refresh_tokens_,
                        .limits = &limits_,
                        .last_uses = &last_uses_,
                        .metrics = &metrics_,
                        .audit = &audit_,
                        .verify_identity = [this](absl::string_view token) { return VerifyIdentity(token); }}),
        token_issuer_({.authenticator = &authenticator_,
                       .refresh_tokens = &refresh_tokens_,
                       .keys = keys_.get(),
                       .policy = files_.policy.get(),
                       .metrics = &metrics_,
                       .audit = &audit_,
                       .clock = dependencies.clock,
                       .issuer = issuer_,
                       .service = service_,
                       .lifetime = runtime::ToDuration(config.token_lifetime())}),
        admin_commands_({.accounts = &accounts_,
                         .passwords = &passwords_,
                         .refresh_tokens = &refresh_tokens_,
                         .last_uses = &last_uses_,
                         .keys = keys_.get(),
                         .policy = files_.policy.get(),
                         .audit = &audit_,
                         .backups = &backups_}) {}

  std::shared_ptr<const policy::Policy> policy() const override { return files_.policy->current(); }

  absl::StatusOr<v1::IssueTokenResponse> IssueToken(const v1::IssueTokenRequest& request) override {
    return token_issuer_.IssueToken(request);
  }

  absl::StatusOr<v1::GetVerificationResponse> GetVerification() override {
    ASSIGN_OR_RETURN(const token::KeySet keys, keys_->VerificationKeys());
    v1::GetVerificationResponse response;
    response.set_key_set_json(keys.ToJson());
    response.set_issuer(issuer_);
    response.set_service(service_);
    return response;
  }

  absl::StatusOr<std::vector<std::string>> GetReadableRepositories(absl::string_view name) override {
    ASSIGN_OR_RETURN(Account account, accounts_.FindOrAssume(name));
    if (IsIdentityAccount(name)) account.grants = recent_identities_.GrantsOf(name);
    return ReadableRepositories(*files_.policy->current(), account);
  }

  absl::StatusOr<v1::AdministerResponse> Administer(const v1::AdministerRequest& request) override {
    return admin_commands_.Run(request);
  }

 private:
  absl::StatusOr<Account> VerifyIdentity(absl::string_view token) {
    ASSIGN_OR_RETURN(WorkloadIdentity identity, identity_providers_.Verify(files_.policy->current()->file(), token));
    ASSIGN_OR_RETURN(policy::Subject subject, accounts_.SubjectOf(identity.account));
    recent_identities_.Remember(identity.account, identity.grants);
    return Account{.subject = std::move(subject),
                   .grants = std::move(identity.grants),
                   .credential_sha256 = "",
                   .expires_at = identity.expires_at};
  }

  // In the order in which each depends on those before.
  const std::string issuer_;
  const std::string service_;
  const Files files_;
  const std::unique_ptr<SigningKeySet> keys_;
  AuthMetrics metrics_;
  AuditTrail audit_;
  AccountDirectory& accounts_;
  PasswordVerifier passwords_;
  RefreshTokens refresh_tokens_;
  AttemptLimits limits_;
  LastUses last_uses_;
  IdentityProviders identity_providers_;
  RecentIdentities recent_identities_;
  AccountBackups backups_;
  Authenticator authenticator_;
  TokenIssuer token_issuer_;
  AdminCommands admin_commands_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Authority>> Authority::Open(const config::v1::Authentication& config,
                                                           const Dependencies& dependencies) {
  ASSIGN_OR_RETURN(Files files, OpenFiles(config, dependencies));
  RETURN_IF_ERROR(EnsureFormat(*dependencies.kv));
  ASSIGN_OR_RETURN(std::unique_ptr<SigningKeySet> keys, OpenKeys(config, dependencies.kv, dependencies.clock));
  return std::make_unique<KvAuthority>(config, dependencies, std::move(files), std::move(keys));
}

absl::StatusOr<bool> Authority::WasOpened(kv::KvReader& kv) { return HasFormat(kv); }

size_t Authority::HashingThreadsMax(const config::v1::Authentication& config) {
  return PasswordVerifier::ThreadsMax(config.password_hashes_max());
}

}  // namespace entrepot::auth
