#include "services/auth/accounts/robots.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/auth_records.pb.h"
#include "services/auth/accounts/account_cleanup.h"
#include "services/auth/records/account_name.h"
#include "services/auth/records/auth_keys.h"
#include "services/auth/records/record_scan.h"
#include "services/auth/records/secret.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {
namespace {

using storage::v1::RobotRecord;
using storage::v1::RobotScopeRecord;

constexpr int kScopesMax = 100;
constexpr int kPatternsMax = 100;
constexpr size_t kDescriptionBytesMax = 1024;
// A thousand years: longer lifetimes are not useful.
constexpr int64_t kLifetimeSecondsMax = int64_t{1000} * 366 * 24 * 60 * 60;

absl::Status NoSuchRobot(absl::string_view name) {
  return absl::NotFoundError(absl::StrCat("there is no robot ", QuotedInput(name)));
}

template <typename Scope>
absl::StatusOr<AccessGrant> ToGrant(const Scope& scope) {
  return AccessGrant::Parse(std::vector<std::string>(scope.repositories().begin(), scope.repositories().end()),
                            std::vector<std::string>(scope.actions().begin(), scope.actions().end()));
}

absl::StatusOr<std::vector<AccessGrant>> ToGrants(const RobotRecord& record) {
  std::vector<AccessGrant> grants;
  for (const RobotScopeRecord& scope : record.scopes()) {
    ASSIGN_OR_RETURN(AccessGrant grant, ToGrant(scope));
    grants.push_back(std::move(grant));
  }
  return grants;
}

v1::Robot Describe(absl::string_view name, const RobotRecord& record) {
  v1::Robot robot;
  robot.set_name(std::string(name));
  robot.set_description(record.description());
  for (const RobotScopeRecord& scope : record.scopes()) {
    v1::RobotScope* const shown = robot.add_scopes();
    *shown->mutable_repositories() = scope.repositories();
    *shown->mutable_actions() = scope.actions();
  }
  *robot.mutable_created_at() = record.created_at();
  if (record.has_expires_at()) *robot.mutable_expires_at() = record.expires_at();
  robot.set_created_by(record.created_by());
  return robot;
}

absl::StatusOr<Robots::Robot> ToRobot(absl::string_view name, const RobotRecord& record) {
  absl::StatusOr<std::vector<AccessGrant>> grants = ToGrants(record);
  if (!grants.ok()) return absl::DataLossError(absl::StrCat("robot ", name, ": ", grants.status().message()));
  return Robots::Robot{
      .description = Describe(name, record), .grants = *std::move(grants), .secret_sha256 = record.secret_sha256()};
}

absl::Status CheckScopes(const v1::CreateRobot& command) {
  if (command.scopes_size() > kScopesMax) {
    return absl::InvalidArgumentError(absl::StrCat("a robot has at most ", kScopesMax, " scopes"));
  }
  for (int i = 0; i < command.scopes_size(); ++i) {
    const v1::RobotScope& scope = command.scopes(i);
    if (scope.repositories_size() > kPatternsMax) {
      return absl::InvalidArgumentError(
          absl::StrCat("a scope has at most ", kPatternsMax, " patterns of repositories"));
    }
    if (const auto grant = ToGrant(scope); !grant.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("scope ", i + 1, ": ", grant.status().message()));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckCommand(const v1::CreateRobot& command) {
  RETURN_IF_ERROR(CheckRobotName(command.name()));
  if (command.description().size() > kDescriptionBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("a description has at most ", kDescriptionBytesMax, " bytes"));
  }
  if (command.has_lifetime() &&
      (command.lifetime().seconds() <= 0 || command.lifetime().seconds() > kLifetimeSecondsMax)) {
    return absl::InvalidArgumentError("a robot's lifetime is at least a second and at most a thousand years");
  }
  return CheckScopes(command);
}

RobotRecord ToRecord(const v1::CreateRobot& command, absl::Time now, absl::string_view created_by) {
  RobotRecord record;
  record.set_description(command.description());
  for (const v1::RobotScope& scope : command.scopes()) {
    RobotScopeRecord* const kept = record.add_scopes();
    *kept->mutable_repositories() = scope.repositories();
    *kept->mutable_actions() = scope.actions();
  }
  *record.mutable_created_at() = ToTimestamp(now);
  if (command.has_lifetime()) {
    *record.mutable_expires_at() = ToTimestamp(now + absl::Seconds(command.lifetime().seconds()));
  }
  record.set_created_by(std::string(created_by));
  return record;
}

std::vector<kv::Lock> LocksOf(absl::string_view name) {
  std::vector<kv::Lock> locks = AccountCleanupLocks(RobotAccount(name));
  locks.push_back(Robots::LockOf(name));
  return locks;
}

}  // namespace

absl::Time Robots::Robot::expires_at() const {
  return description.has_expires_at() ? FromTimestamp(description.expires_at()) : absl::InfiniteFuture();
}

absl::StatusOr<std::optional<Robots::Robot>> Robots::Find(absl::string_view name) const {
  ASSIGN_OR_RETURN(const std::optional<RobotRecord> record, kv::ReadRecord<RobotRecord>(kv_, keys::Robot(name)));
  if (!record.has_value()) return std::nullopt;
  return ToRobot(name, *record);
}

absl::StatusOr<std::vector<Robots::Robot>> Robots::List() const {
  std::vector<Robot> robots;
  RETURN_IF_ERROR(ForEachRecord<RobotRecord>(kv_, keys::Robots(),
                                             [&](absl::string_view name, const RobotRecord& record) -> absl::Status {
                                               ASSIGN_OR_RETURN(Robot robot, ToRobot(name, record));
                                               robots.push_back(std::move(robot));
                                               return absl::OkStatus();
                                             }));
  return robots;
}

absl::StatusOr<Robots::RobotWithSecret> Robots::Create(const v1::CreateRobot& command, absl::string_view created_by) {
  RETURN_IF_ERROR(CheckCommand(command));
  const std::string secret = NewSecret(kRobotSecretPrefix);
  RobotRecord record = ToRecord(command, clock_.Now(), created_by);
  record.set_secret_sha256(Sha256(secret));
  RETURN_IF_ERROR(kv_.Transact(LocksOf(command.name()), [&](kv::KvTransaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const bool exists, Exists(transaction, command.name()));
    if (exists) {
      return absl::AlreadyExistsError(absl::StrCat("there is a robot ", QuotedInput(command.name()), " already"));
    }
    kv::WriteRecord(transaction, keys::Robot(command.name()), record);
    return CleanUpAccount(transaction, RobotAccount(command.name()));
  }));
  ASSIGN_OR_RETURN(Robot robot, ToRobot(command.name(), record));
  return RobotWithSecret{.robot = std::move(robot), .secret = secret};
}

absl::StatusOr<Robots::RobotWithSecret> Robots::RotateSecret(absl::string_view name) {
  const std::string secret = NewSecret(kRobotSecretPrefix);
  std::optional<RobotRecord> record;
  RETURN_IF_ERROR(kv_.Transact({LockOf(name)}, [&](kv::KvTransaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(record, kv::ReadRecord<RobotRecord>(transaction, keys::Robot(name)));
    if (!record.has_value()) return NoSuchRobot(name);
    record->set_secret_sha256(Sha256(secret));
    kv::WriteRecord(transaction, keys::Robot(name), *record);
    return absl::OkStatus();
  }));
  ASSIGN_OR_RETURN(Robot robot, ToRobot(name, *record));
  return RobotWithSecret{.robot = std::move(robot), .secret = secret};
}

absl::Status Robots::Delete(absl::string_view name) {
  return kv_.Transact(LocksOf(name), [&](kv::KvTransaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const bool exists, Exists(transaction, name));
    if (!exists) return NoSuchRobot(name);
    transaction.Delete(keys::Robot(name));
    return CleanUpAccount(transaction, RobotAccount(name));
  });
}

kv::Lock Robots::LockOf(absl::string_view name) { return {.key = keys::Robot(name)}; }

absl::StatusOr<bool> Robots::Exists(kv::KvReader& kv, absl::string_view name) {
  ASSIGN_OR_RETURN(const std::optional<std::string> value, kv.Get(keys::Robot(name)));
  return value.has_value();
}

}  // namespace entrepot::auth
