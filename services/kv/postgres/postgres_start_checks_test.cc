#include "services/kv/postgres/postgres_start_checks.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/kv/testing/postgres_server.h"
#include "services/status/status_matchers.h"

namespace entrepot::kv {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PostgresStartChecksTest : public testing::Test {
 protected:
  absl::Status Check() {
    warnings_.clear();
    const absl::StatusOr<int64_t> locks =
        CheckPostgresAtStart(address_, [&](absl::string_view line) { warnings_.emplace_back(line); });
    if (locks.ok()) locks_ = *locks;
    return locks.status();
  }

  PostgresServer server_{{"max_connections=20"}};
  const std::string database_ = server_.NewDatabase();
  PostgresAddress address_ = server_.Address(database_);
  std::vector<std::string> warnings_;
  int64_t locks_ = 0;
};

TEST_F(PostgresStartChecksTest, AcceptsOnlyWhatKeepsRecords) {
  // The server has 256 locks for each of 20 connections.
  EXPECT_OK(Check());
  EXPECT_EQ(locks_, 256 * 20);
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("max_locks_per_transaction x max_connections is 5120, below 40000")));

  // Whatever the defaults of the database: each transaction names its isolation.
  server_.Execute(absl::StrCat("ALTER DATABASE ", database_, " SET default_transaction_isolation = 'serializable'"));
  EXPECT_OK(Check());

  server_.Execute("CREATE ROLE guest LOGIN");
  address_.user = "guest";
  EXPECT_FALSE(Check().ok());
  server_.Execute("GRANT USAGE ON SCHEMA entrepot TO guest", database_);
  server_.Execute("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA entrepot TO guest", database_);
  const absl::Status without_delete = Check();
  EXPECT_THAT(without_delete, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(without_delete.message()), HasSubstr("GRANT"));
  server_.Execute("GRANT DELETE ON ALL TABLES IN SCHEMA entrepot TO guest", database_);
  EXPECT_OK(Check());

  server_.Execute("ALTER SYSTEM SET fsync = off");
  server_.Execute("SELECT pg_reload_conf()");
  absl::Status unsafe;
  for (int i = 0; i < 1000 && unsafe.ok(); ++i) unsafe = Check();
  EXPECT_THAT(unsafe, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(unsafe.message()), HasSubstr("fsync is off"));
}

// A function of that name, found before the server's own, stands for a server whose locks do nothing.
TEST_F(PostgresStartChecksTest, FindsLocksThatExcludeNothing) {
  for (const char* function : {"pg_advisory_xact_lock", "pg_advisory_xact_lock_shared"}) {
    server_.Execute(absl::StrCat("CREATE FUNCTION public.", function, "(bigint) RETURNS void LANGUAGE sql AS ''"),
                    database_);
  }
  server_.Execute(absl::StrCat("ALTER DATABASE ", database_, " SET search_path = public, pg_catalog"));
  const absl::Status status = Check();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(status.message()), HasSubstr("advisory locks do not work"));
}

TEST_F(PostgresStartChecksTest, RefusesAStandby) {
  PostgresServer standby(server_, {"max_connections=20"});
  address_.servers = {standby.directory()};
  EXPECT_THAT(Check(), StatusIs(absl::StatusCode::kUnavailable));
  address_.servers = {standby.directory(), server_.directory()};
  EXPECT_OK(Check()) << "the primary is used";
  EXPECT_THAT(warnings_, testing::Contains(HasSubstr("synchronous_standby_names")));
  server_.Kill();
  standby.Promote();
  EXPECT_OK(Check());
}

}  // namespace
}  // namespace entrepot::kv
