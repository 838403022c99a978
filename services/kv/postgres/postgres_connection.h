#ifndef ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_CONNECTION_H_
#define ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_CONNECTION_H_

#include <postgresql/libpq-fe.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "services/core/time/deadline.h"
#include "services/core/time/stopwatch.h"

namespace entrepot::kv {

// The tables and what connects to them. `entrepotctl schema` makes them (postgres_schema.h).
inline constexpr char kPostgresSchema[] = "entrepot";

// Which database, and how.
struct PostgresAddress {
  // "host", "host:port", or the directory of a socket, with or without a port. The one that accepts writes is used.
  std::vector<std::string> servers;
  std::string database;
  std::string user;
  std::string password_file = {};  // Empty: no password.
  std::string ca_file = {};        // Empty: no TLS.
  std::string certificate_file = {};
  std::string private_key_file = {};
};

// The rows of one statement, in binary format.
class PostgresRows {
 public:
  explicit PostgresRows(PGresult* result) : result_(result) {}

  int size() const { return PQntuples(result_.get()); }
  bool IsNull(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
  // Valid as long as this object.
  absl::string_view Bytes(int row, int column) const {
    return {PQgetvalue(result_.get(), row, column), static_cast<size_t>(PQgetlength(result_.get(), row, column))};
  }
  // "COMMIT", "DELETE 3"
  absl::string_view tag() const { return PQcmdStatus(result_.get()); }

 private:
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  std::unique_ptr<PGresult, Clear> result_;
};

// A statement with its parameters in binary format. Prepared statements have a name.
struct PostgresStatement {
  const char* name = nullptr;
  std::string sql = {};  // If the name is null.
  std::vector<std::string> parameters = {};
  // Prepares `sql` under `name` instead of executing a statement.
  bool prepare = false;
};

// One session. After a lost connection, or one whose session ended, usable() is false for good. Not thread-safe.
class PostgresConnection {
 public:
  // How long the server may take for one round trip. Longer than any statement may run there; a commit may wait for a
  // standby for longer.
  static constexpr absl::Duration kAnswerTimeout = absl::Seconds(30);

  // Connects to the server that accepts writes. kUnavailable if there is none, or it refuses; kFailedPrecondition if a
  // proxy that shares sessions stands between.
  static absl::StatusOr<std::unique_ptr<PostgresConnection>> Connect(const PostgresAddress& address,
                                                                     absl::Duration lock_timeout);
  ~PostgresConnection();

  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  // Sends all statements, and one end of the pipeline, in one round trip. Their rows, or the error of the first that
  // failed; those behind it were not executed then. A lost connection is ConnectionLost().
  absl::StatusOr<std::vector<PostgresRows>> Run(absl::Span<const PostgresStatement> statements);
  // The two halves of Run(), for statements that wait for something that the caller does.
  absl::Status Send(absl::Span<const PostgresStatement> statements);
  absl::StatusOr<std::vector<PostgresRows>> Receive();

  bool usable() const { return usable_; }
  // The last error: its SQLSTATE; empty if the connection was lost.
  const std::string& sqlstate() const { return sqlstate_; }
  // Whether a transaction is open, or failed and not yet rolled back.
  bool in_transaction() const { return PQtransactionStatus(connection_) != PQTRANS_IDLE; }
  // A commit since the last call was acknowledged without the standby's answer.
  bool TakeUnreplicatedWarning() { return std::exchange(unreplicated_, false); }
  // The server's clock, in microseconds since 1970. Only what compares such times may use it.
  int64_t ServerMicros() const;
  int server_version() const { return PQserverVersion(connection_); }
  // Whether the server syncs what it commits.
  bool fsync() const { return fsync_; }
  Deadline expires() const { return expires_; }

 private:
  explicit PostgresConnection(PGconn* connection);

  absl::Status SetUp(absl::Duration lock_timeout);
  absl::Status Lost(absl::string_view doing);
  // Waits until the socket can be read, or, with `write`, written. False at the deadline.
  bool Wait(bool write, Deadline deadline);
  static void OnNotice(void* self, const PGresult* notice);

  PGconn* const connection_;
  bool usable_ = true;
  bool unreplicated_ = false;
  bool fsync_ = true;
  size_t sent_ = 0;  // Statements whose answers are due.
  std::string sqlstate_;
  const Stopwatch age_;
  int64_t made_at_server_micros_ = 0;
  Deadline expires_;
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_CONNECTION_H_
