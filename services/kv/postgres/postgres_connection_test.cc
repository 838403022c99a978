#include "services/kv/postgres/postgres_connection.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/kv/postgres/postgres_status.h"
#include "services/kv/postgres/postgres_values.h"
#include "services/kv/testing/postgres_server.h"
#include "services/status/status_matchers.h"

namespace entrepot::kv {
namespace {

using testing::HasSubstr;

class PostgresConnectionTest : public testing::Test {
 protected:
  std::unique_ptr<PostgresConnection> Connect() {
    absl::StatusOr<std::unique_ptr<PostgresConnection>> connection =
        PostgresConnection::Connect(address_, absl::Milliseconds(50));
    EXPECT_OK(connection);
    return connection.ok() ? *std::move(connection) : nullptr;
  }

  PostgresServer& server_ = PostgresServer::Shared();
  PostgresAddress address_ = server_.Address("postgres");
};

TEST_F(PostgresConnectionTest, AnswersStatementsInTheirOrder) {
  const std::unique_ptr<PostgresConnection> connection = Connect();
  ASSERT_OK_AND_ASSIGN(const std::vector<PostgresRows> rows,
                       connection->Run({{{.sql = "SELECT 1::int8"}, {.sql = "SELECT NULL, 'x'::bytea"}}}));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(ParseBinaryInt64(rows[0].Bytes(0, 0)), 1);
  EXPECT_TRUE(rows[1].IsNull(0, 0));
  EXPECT_EQ(rows[1].Bytes(0, 1), "x");
  EXPECT_EQ(rows[0].tag(), "SELECT 1");
}

TEST_F(PostgresConnectionTest, AnErrorSkipsTheStatementsBehindIt) {
  const std::unique_ptr<PostgresConnection> connection = Connect();
  const absl::Status failed = connection->Run({{{.sql = "BEGIN"}, {.sql = "SELECT 1/0"}, {.sql = "COMMIT"}}}).status();
  EXPECT_FALSE(failed.ok());
  EXPECT_EQ(connection->sqlstate(), "22012");
  EXPECT_TRUE(connection->usable());
  EXPECT_TRUE(connection->in_transaction());
  EXPECT_OK(connection->Run({{{.sql = "ROLLBACK"}}}).status());
  EXPECT_FALSE(connection->in_transaction());
}

TEST_F(PostgresConnectionTest, SendsMoreThanTheSocketsHold) {
  const std::unique_ptr<PostgresConnection> connection = Connect();
  const std::string large(20 << 20, 'x');
  std::vector<PostgresStatement> statements;
  for (int i = 0; i < 3; ++i) statements.push_back({.sql = "SELECT $1::bytea", .parameters = {large}});
  ASSERT_OK_AND_ASSIGN(const std::vector<PostgresRows> rows, connection->Run(statements));
  for (const PostgresRows& answer : rows) EXPECT_EQ(answer.Bytes(0, 0), large);
}

TEST_F(PostgresConnectionTest, NoticesTheEndOfItsSession) {
  const std::unique_ptr<PostgresConnection> connection = Connect();
  ASSERT_OK_AND_ASSIGN(const std::vector<PostgresRows> pid,
                       connection->Run({{{.sql = "SELECT pg_backend_pid()::int8"}}}));
  server_.Execute(absl::StrCat("SELECT pg_terminate_backend(", ParseBinaryInt64(pid[0].Bytes(0, 0)), ", 10000)"));
  EXPECT_TRUE(IsConnectionLost(connection->Run({{{.sql = "SELECT 1"}}}).status()));
  EXPECT_FALSE(connection->usable());
  EXPECT_TRUE(IsConnectionLost(connection->Run({{{.sql = "SELECT 1"}}}).status()));
}

TEST_F(PostgresConnectionTest, CommitsAreDurableWhateverTheDefault) {
  server_.Execute("CREATE ROLE careless SUPERUSER LOGIN");
  server_.Execute("ALTER ROLE careless SET synchronous_commit = off");
  address_.user = "careless";
  const std::unique_ptr<PostgresConnection> connection = Connect();
  ASSERT_OK_AND_ASSIGN(const std::vector<PostgresRows> rows, connection->Run({{{.sql = "SHOW synchronous_commit"}}}));
  EXPECT_EQ(rows[0].Bytes(0, 0), "on");
  EXPECT_TRUE(connection->fsync());
}

TEST_F(PostgresConnectionTest, ReadsThePasswordForEachConnection) {
  server_.Execute("CREATE ROLE with_password LOGIN PASSWORD 'one'");
  const std::string hba = server_.Execute("SHOW hba_file");
  std::string before;
  {
    std::ifstream file(hba);
    std::getline(file, before, '\0');
  }
  std::ofstream(hba) << "local all with_password scram-sha-256\n" << before;
  server_.Execute("SELECT pg_reload_conf()");
  address_.user = "with_password";
  address_.password_file = testing::TempDir() + "/password";
  std::ofstream(address_.password_file) << "one\n";
  EXPECT_NE(Connect(), nullptr);
  server_.Execute("ALTER ROLE with_password PASSWORD 'two'");
  const absl::Status refused = PostgresConnection::Connect(address_, absl::Seconds(1)).status();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kUnavailable)) << "never a client's authentication";
  std::ofstream(address_.password_file) << "two";
  EXPECT_NE(Connect(), nullptr);
  address_.password_file = "/nowhere/password";
  EXPECT_THAT(std::string(PostgresConnection::Connect(address_, absl::Seconds(1)).status().message()),
              HasSubstr("/nowhere/password"));
}

TEST_F(PostgresConnectionTest, TriesAllServers) {
  address_.servers = {"/nowhere", "127.0.0.1:1", server_.directory()};
  EXPECT_NE(Connect(), nullptr);
  address_.servers = {"/nowhere", "[::1]:1"};
  EXPECT_THAT(PostgresConnection::Connect(address_, absl::Seconds(1)).status(),
              StatusIs(absl::StatusCode::kUnavailable));
}

// A self-signed certificate of 127.0.0.1, with its key, in `directory`.
void MakeCertificate(const std::string& directory, const std::string& name) {
  const std::string command =
      absl::StrCat("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=", name,
                   " -addext subjectAltName=IP:127.0.0.1 -keyout ", directory, "/", name, ".key -out ", directory, "/",
                   name, ".crt 2>/dev/null && chmod 600 ", directory, "/", name,
                   ".key && chown --reference=", directory, " ", directory, "/", name, ".key");
  ASSERT_EQ(std::system(command.c_str()), 0);
}

TEST_F(PostgresConnectionTest, VerifiesTheServersCertificateIfTlsIsConfigured) {
  const std::string& directory = server_.directory();
  MakeCertificate(directory, "server");
  MakeCertificate(directory, "other");
  // Ports from 32768 on may be taken by outgoing connections.
  const std::string port = absl::StrCat(20000 + ::getpid() % 10000);
  PostgresServer server({"listen_addresses=127.0.0.1", "port=" + port, "ssl=on",
                         absl::StrCat("ssl_cert_file=", directory, "/server.crt"),
                         absl::StrCat("ssl_key_file=", directory, "/server.key")});
  address_.servers = {"127.0.0.1:" + port};
  address_.ca_file = directory + "/server.crt";
  const std::unique_ptr<PostgresConnection> connection = Connect();
  ASSERT_NE(connection, nullptr);
  ASSERT_OK_AND_ASSIGN(const std::vector<PostgresRows> rows,
                       connection->Run({{{.sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"}}}));
  EXPECT_EQ(rows[0].Bytes(0, 0), "\1");

  address_.ca_file = directory + "/other.crt";
  EXPECT_THAT(std::string(PostgresConnection::Connect(address_, absl::Seconds(1)).status().message()),
              HasSubstr("certificate verify failed"));
  address_.ca_file = directory + "/server.crt";
  address_.servers = {"localhost:" + port};
  EXPECT_THAT(PostgresConnection::Connect(address_, absl::Seconds(1)).status(),
              StatusIs(absl::StatusCode::kUnavailable))
      << "the certificate has another name";
  address_.servers = {"127.0.0.1:" + port};
  address_.ca_file = "/nowhere/ca.pem";
  EXPECT_THAT(PostgresConnection::Connect(address_, absl::Seconds(1)).status(),
              StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace entrepot::kv
