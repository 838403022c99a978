#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ctl/command_line/command.h"
#include "services/ctl/testing/command_test_fixture.h"
#include "services/kv/testing/postgres_server.h"

namespace entrepot::ctl {
namespace {

using ::testing::HasSubstr;

class SchemaCommandsTest : public CommandTest {
 protected:
  Outcome RunSchema(const std::string& command, std::vector<std::string> options = {}) {
    std::vector<std::string> words = {"schema",     command,  "--server", server_.directory(),
                                      "--database", "schema", "--user",   "postgres"};
    words.insert(words.end(), options.begin(), options.end());
    return Run(words);
  }

  kv::PostgresServer& server_ = kv::PostgresServer::Shared();
};

TEST_F(SchemaCommandsTest, MakesShowsAndUpgrades) {
  server_.Execute("CREATE DATABASE schema");
  const Outcome missing = RunSchema("show");
  EXPECT_EQ(missing.code, kFailed);
  EXPECT_THAT(missing.err, HasSubstr("entrepotctl schema make"));
  EXPECT_EQ(RunSchema("upgrade").code, kFailed);

  const Outcome made = RunSchema("make");
  EXPECT_EQ(made.code, kOk) << made.err;
  EXPECT_EQ(made.out, "made the tables, version 1\n");
  EXPECT_EQ(RunSchema("make").code, kFailed);
  EXPECT_EQ(RunSchema("make", {"--unless-made"}).out, "the tables have version 1\n");
  EXPECT_EQ(RunSchema("upgrade").out, "the tables have version 1\n");
  EXPECT_EQ(RunSchema("show").out, "the tables have version 1; this program needs 1\n");
  EXPECT_EQ(RunSchema("show", {"--output=json"}).out, "{\"version\": 1, \"needed\": 1}\n");

  server_.Execute("UPDATE entrepot.schema_version SET version = 0", "schema");
  EXPECT_THAT(RunSchema("show").err, HasSubstr("entrepotctl schema upgrade"));
  // Newer ones are not touched.
  server_.Execute("UPDATE entrepot.schema_version SET version = 9, readable_from = 9", "schema");
  EXPECT_EQ(RunSchema("make", {"--unless-made"}).code, kFailed);
}

TEST_F(SchemaCommandsTest, MakesTablesUnlessThereAreSome) {
  server_.Execute("CREATE DATABASE unless");
  const std::vector<std::string> words = {"schema", "make",   "--server", server_.directory(), "--database",
                                          "unless", "--user", "postgres", "--unless-made"};
  EXPECT_EQ(Run(words).out, "made the tables, version 1\n");
  EXPECT_EQ(Run(words).out, "the tables have version 1\n");
}

TEST_F(SchemaCommandsTest, NeedsAServerAndBothFilesOfACertificate) {
  EXPECT_THAT(UsageError({"schema", "show"}), HasSubstr("--server"));
  EXPECT_THAT(UsageError({"schema", "show", "--server", "x", "--certificate-file", "y"}), HasSubstr("need each other"));
}

TEST_F(SchemaCommandsTest, ReportsAServerThatDoesNotAnswer) {
  const Outcome outcome = Run({"schema", "show", "--server", "127.0.0.1:1"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_THAT(outcome.err, HasSubstr("cannot connect to PostgreSQL"));
}

}  // namespace
}  // namespace entrepot::ctl
