#include "services/kv/postgres/postgres_schema.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/kv/testing/postgres_server.h"
#include "services/status/status_matchers.h"

namespace entrepot::kv {
namespace {

using testing::HasSubstr;

class PostgresSchemaTest : public testing::Test {
 protected:
  PostgresSchemaTest() { server_.Execute(absl::StrCat("CREATE DATABASE ", name_)); }
  ~PostgresSchemaTest() override { server_.DropDatabase(name_); }

  std::unique_ptr<PostgresConnection> Connect() {
    return PostgresConnection::Connect(server_.Address(name_), absl::Seconds(5)).value();
  }

  PostgresServer& server_ = PostgresServer::Shared();
  const std::string name_ = "schema_test";
};

TEST_F(PostgresSchemaTest, IsMadeOnce) {
  const std::unique_ptr<PostgresConnection> connection = Connect();
  EXPECT_THAT(ReadPostgresSchema(*connection), IsOkAndHolds(testing::Eq(std::nullopt)));
  EXPECT_THAT(std::string(CheckPostgresSchema(*connection).message()), HasSubstr("entrepotctl schema make"));
  EXPECT_THAT(UpgradePostgresSchema(*connection), StatusIs(absl::StatusCode::kFailedPrecondition));
  ASSERT_OK(MakePostgresSchema(*connection));
  EXPECT_OK(CheckPostgresSchema(*connection));
  EXPECT_OK(UpgradePostgresSchema(*connection));
  ASSERT_OK_AND_ASSIGN(const auto found, ReadPostgresSchema(*connection));
  EXPECT_EQ(found->version, kPostgresSchemaVersion);
  EXPECT_THAT(MakePostgresSchema(*connection), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_OK(CheckPostgresSchema(*connection)) << "the connection is still good";
}

TEST_F(PostgresSchemaTest, TwoCommandsAtOnceMakeOne) {
  std::vector<absl::StatusCode> codes(2);
  std::vector<std::thread> threads;
  for (absl::StatusCode& code : codes) {
    threads.emplace_back([&] { code = MakePostgresSchema(*Connect()).code(); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(codes, testing::UnorderedElementsAre(absl::StatusCode::kOk, absl::StatusCode::kAlreadyExists));
}

TEST_F(PostgresSchemaTest, ProgramsOfTwoVersionsRunSideBySide) {
  const std::unique_ptr<PostgresConnection> connection = Connect();
  ASSERT_OK(MakePostgresSchema(*connection));
  server_.Execute("UPDATE entrepot.schema_version SET version = 5, readable_from = 1", name_);
  EXPECT_OK(CheckPostgresSchema(*connection));
  EXPECT_THAT(UpgradePostgresSchema(*connection), StatusIs(absl::StatusCode::kFailedPrecondition));
  server_.Execute("UPDATE entrepot.schema_version SET readable_from = 2", name_);
  EXPECT_THAT(std::string(CheckPostgresSchema(*connection).message()), HasSubstr("upgrade it"));
  server_.Execute("UPDATE entrepot.schema_version SET version = 0, readable_from = 0", name_);
  EXPECT_THAT(std::string(CheckPostgresSchema(*connection).message()), HasSubstr("entrepotctl schema upgrade"));
}

}  // namespace
}  // namespace entrepot::kv
