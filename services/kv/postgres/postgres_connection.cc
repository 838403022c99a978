#include "services/kv/postgres/postgres_connection.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "services/kv/postgres/postgres_status.h"
#include "services/kv/postgres/postgres_values.h"
#include "services/status/status_macros.h"

namespace entrepot::kv {
namespace {

// Seconds for one address; libpq takes no less.
constexpr char kConnectTimeout[] = "2";
// A connection is replaced after this time, so that all return to a server that came back.
constexpr absl::Duration kAgeMax = absl::Minutes(30);

// The settings of a session. Those of plans: keys are found by the index, even if the plan was made while the table was
// empty. A client that is frozen or gone loses its locks within seconds.
constexpr char kSetUp[] =
    "SELECT set_config('enable_seqscan', 'off', false), set_config('plan_cache_mode', 'force_generic_plan', false), "
    "set_config('jit', 'off', false), set_config('client_min_messages', 'notice', false), "
    "set_config('idle_in_transaction_session_timeout', '5s', false), "
    "set_config('client_connection_check_interval', '500ms', false), set_config('statement_timeout', '25s', false), "
    "set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false), "
    "set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '10s', false), "
    "set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN 'on' "
    "ELSE current_setting('synchronous_commit') END, false)";

absl::StatusOr<std::string> ReadPassword(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string password{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) return DatabaseUnavailable(absl::StrCat("cannot read the password of the database in ", path));
  absl::string_view text = password;
  absl::ConsumeSuffix(&text, "\n");
  absl::ConsumeSuffix(&text, "\r");
  return std::string(text);
}

// "host:port" as the host and the port for libpq.
std::pair<std::string, std::string> SplitServer(absl::string_view server) {
  const size_t colon = server.rfind(':');
  const bool has_port = colon != absl::string_view::npos && server.find(']', colon) == absl::string_view::npos;
  absl::string_view host = server.substr(0, has_port ? colon : server.size());
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  return {std::string(host), has_port ? std::string(server.substr(colon + 1)) : "5432"};
}

}  // namespace

PostgresConnection::PostgresConnection(PGconn* connection)
    : connection_(connection), expires_(Deadline::After(absl::Uniform(absl::BitGen(), 0.7, 1.0) * kAgeMax)) {
  PQsetNoticeReceiver(connection_, OnNotice, this);
}

PostgresConnection::~PostgresConnection() { PQfinish(connection_); }

absl::StatusOr<std::unique_ptr<PostgresConnection>> PostgresConnection::Connect(const PostgresAddress& address,
                                                                                absl::Duration lock_timeout) {
  std::vector<std::string> hosts, ports;
  for (const std::string& server : address.servers) {
    auto [host, port] = SplitServer(server);
    hosts.push_back(std::move(host));
    ports.push_back(std::move(port));
  }
  std::string password;
  if (!address.password_file.empty()) {
    ASSIGN_OR_RETURN(password, ReadPassword(address.password_file));
  }
  std::vector<std::pair<const char*, std::string>> settings = {
      {"host", absl::StrJoin(hosts, ",")},
      {"port", absl::StrJoin(ports, ",")},
      {"dbname", address.database},
      {"user", address.user},
      {"target_session_attrs", "read-write"},
      {"connect_timeout", kConnectTimeout},
      {"keepalives_idle", "10"},
      {"keepalives_interval", "5"},
      {"keepalives_count", "3"},
      {"tcp_user_timeout", "10000"},
      {"client_encoding", "UTF8"},
      {"application_name", "entrepot"},
      {"sslmode", address.ca_file.empty() ? "disable" : "verify-full"},
      // Encryption by Kerberos would stand in the way of the setting above.
      {"gssencmode", "disable"},
      // Nothing comes from the environment's ~/.pgpass.
      {"passfile", "/dev/null/none"},
  };
  if (!password.empty()) settings.emplace_back("password", password);
  if (!address.ca_file.empty()) settings.emplace_back("sslrootcert", address.ca_file);
  if (!address.certificate_file.empty()) {
    settings.emplace_back("sslcert", address.certificate_file);
    settings.emplace_back("sslkey", address.private_key_file);
  }
  std::vector<const char*> names, values;
  for (const auto& [name, value] : settings) {
    names.push_back(name);
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  PGconn* const opened = PQconnectdbParams(names.data(), values.data(), /*expand_dbname=*/0);
  if (opened == nullptr) return DatabaseUnavailable("no memory for a connection to PostgreSQL");
  std::unique_ptr<PostgresConnection> connection(new PostgresConnection(opened));
  if (PQstatus(opened) != CONNECTION_OK) {
    return DatabaseUnavailable(
        absl::StrCat("cannot connect to PostgreSQL: ", absl::StripSuffix(PQerrorMessage(opened), "\n")));
  }
  RETURN_IF_ERROR(connection->SetUp(lock_timeout));
  return connection;
}

absl::Status PostgresConnection::SetUp(absl::Duration lock_timeout) {
  if (PQsetnonblocking(connection_, 1) != 0 || PQenterPipelineMode(connection_) != 1) return Lost("connecting");
  const std::string timeout = absl::StrCat(std::max<int64_t>(absl::ToInt64Milliseconds(lock_timeout), 1));
  absl::StatusOr<std::vector<PostgresRows>> rows = Run({{
      {.sql = kSetUp},
      {.sql = absl::StrCat("SELECT set_config('lock_timeout', '", timeout, "', false)")},
      {.sql = "SELECT pg_backend_pid()::int8, (extract(epoch FROM clock_timestamp()) * 1000000)::int8, "
              "current_setting('fsync') = 'on'"},
  }});
  if (!rows.ok()) {
    return DatabaseUnavailable(absl::StrCat("cannot begin a session: ", rows.status().message()));
  }
  const PostgresRows& facts = (*rows)[2];
  if (facts.size() != 1) return absl::InternalError("PostgreSQL: a session without an answer");
  // A proxy in transaction mode gives each transaction another session, and answers with a process of its own.
  if (ParseBinaryInt64(facts.Bytes(0, 0)) != PQbackendPID(connection_)) {
    return absl::FailedPreconditionError(
        "a proxy that shares sessions (PgBouncer, Odyssey, pgcat) stands between this process and PostgreSQL: prepared "
        "statements and settings would not be kept; name the servers themselves, or a proxy of TCP such as HAProxy");
  }
  made_at_server_micros_ = ParseBinaryInt64(facts.Bytes(0, 1)) - absl::ToInt64Microseconds(age_.Elapsed());
  fsync_ = facts.Bytes(0, 2) == absl::string_view("\1", 1);
  return absl::OkStatus();
}

int64_t PostgresConnection::ServerMicros() const {
  return made_at_server_micros_ + absl::ToInt64Microseconds(age_.Elapsed());
}

absl::StatusOr<std::vector<PostgresRows>> PostgresConnection::Run(absl::Span<const PostgresStatement> statements) {
  RETURN_IF_ERROR(Send(statements));
  return Receive();
}

absl::Status PostgresConnection::Send(absl::Span<const PostgresStatement> statements) {
  if (!usable_) return ConnectionLost("PostgreSQL: the connection was lost");
  std::vector<const char*> values;
  std::vector<int> lengths, formats;
  for (const PostgresStatement& statement : statements) {
    values.clear();
    lengths.clear();
    for (const std::string& parameter : statement.parameters) {
      values.push_back(parameter.data());
      lengths.push_back(static_cast<int>(parameter.size()));
    }
    formats.assign(values.size(), 1);
    const int count = static_cast<int>(values.size());
    const int sent = statement.prepare ? PQsendPrepare(connection_, statement.name, statement.sql.c_str(), 0, nullptr)
                     : statement.name != nullptr
                         ? PQsendQueryPrepared(connection_, statement.name, count, values.data(), lengths.data(),
                                               formats.data(), /*resultFormat=*/1)
                         : PQsendQueryParams(connection_, statement.sql.c_str(), count, nullptr, values.data(),
                                             lengths.data(), formats.data(), /*resultFormat=*/1);
    if (sent != 1) return Lost("sending");
    ++sent_;
  }
  if (PQpipelineSync(connection_) != 1) return Lost("sending");
  const Deadline deadline = Deadline::After(kAnswerTimeout);
  for (;;) {
    const int left = PQflush(connection_);
    if (left < 0) return Lost("sending");
    if (left == 0) return absl::OkStatus();
    // The server may wait until its answers are read.
    if (!Wait(/*write=*/true, deadline) || PQconsumeInput(connection_) != 1) return Lost("sending");
  }
}

absl::StatusOr<std::vector<PostgresRows>> PostgresConnection::Receive() {
  const size_t expected = std::exchange(sent_, 0);
  const Deadline deadline = Deadline::After(kAnswerTimeout);
  std::vector<PostgresRows> answers;
  absl::Status failure;
  for (;;) {
    while (PQisBusy(connection_) == 1) {
      if (!Wait(/*write=*/false, deadline) || PQconsumeInput(connection_) != 1) return Lost("waiting for an answer");
    }
    PGresult* const result = PQgetResult(connection_);
    if (result == nullptr) {
      if (PQstatus(connection_) == CONNECTION_BAD) return Lost("waiting for an answer");
      continue;
    }
    PostgresRows rows(result);
    switch (PQresultStatus(result)) {
      case PGRES_PIPELINE_SYNC:
        if (!failure.ok()) return failure;
        if (answers.size() != expected) return absl::InternalError("PostgreSQL: an answer is missing");
        return answers;
      case PGRES_COMMAND_OK:
      case PGRES_TUPLES_OK:
        answers.push_back(std::move(rows));
        break;
      case PGRES_PIPELINE_ABORTED:
        break;
      default: {
        const char* const sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        if (sqlstate == nullptr) return Lost("waiting for an answer");
        if (failure.ok()) {
          sqlstate_ = sqlstate;
          const char* const message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
          failure = FromSqlState(sqlstate_, message == nullptr ? "" : message);
        }
        // The server closes the connection now.
        if (EndsSession(sqlstate)) {
          usable_ = false;
          return failure;
        }
      }
    }
  }
}

absl::Status PostgresConnection::Lost(absl::string_view doing) {
  usable_ = false;
  sqlstate_.clear();
  return ConnectionLost(absl::StrCat("PostgreSQL: the connection was lost while ", doing, ": ",
                                     absl::StripSuffix(PQerrorMessage(connection_), "\n")));
}

bool PostgresConnection::Wait(bool write, Deadline deadline) {
  struct pollfd socket = {PQsocket(connection_), static_cast<short>(write ? POLLIN | POLLOUT : POLLIN), 0};
  for (;;) {
    const int64_t left = absl::ToInt64Milliseconds(deadline.Left());
    const int ready = poll(&socket, 1, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

void PostgresConnection::OnNotice(void* self, const PGresult* notice) {
  const char* const function = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);
  if (function != nullptr && absl::string_view(function) == "SyncRepWaitForLSN") {
    static_cast<PostgresConnection*>(self)->unreplicated_ = true;
  }
}

}  // namespace entrepot::kv
