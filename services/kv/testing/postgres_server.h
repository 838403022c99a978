#ifndef ENTREPOT_SERVICES_KV_TESTING_POSTGRES_SERVER_H_
#define ENTREPOT_SERVICES_KV_TESTING_POSTGRES_SERVER_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "services/kv/postgres/postgres_connection.h"

namespace entrepot::kv {

// A private PostgreSQL (services/kv/testing/run_postgres) in a new directory below /tmp, which clients reach by a Unix
// socket. Ends with this object, and with the thread that started it.
class PostgresServer {
 public:
  // `settings` are like "max_connections=20". Aborts the test if the server cannot be started.
  explicit PostgresServer(std::vector<std::string> settings = {});
  // A standby of `primary`, with its data.
  PostgresServer(const PostgresServer& primary, std::vector<std::string> settings);
  ~PostgresServer();

  // One for all tests of this process; its databases are new ones.
  static PostgresServer& Shared();

  // The name of an empty database with the tables of the registry.
  std::string NewDatabase();
  // Empties a database of NewDatabase(), which a later call returns: much faster than another one. Nobody may use it.
  void Recycle(const std::string& name);
  void DropDatabase(const std::string& name);

  // How clients reach that database here, or on the first of several servers that accepts writes.
  PostgresAddress Address(const std::string& database) const;
  const std::string& directory() const { return directory_; }

  // Executes SQL as the superuser; aborts the test on an error. The first column of the first row as text, if any.
  std::string Execute(const std::string& sql, const std::string& database = "postgres");

  // Kills all processes of the server with SIGKILL, as when the machine loses power.
  void Kill();
  // Signals all processes of the server: SIGSTOP, SIGCONT.
  void Signal(int signal);
  void Start();
  // Makes a standby the primary.
  void Promote();

 private:
  const std::vector<std::string> settings_;
  std::string directory_;
  std::string port_ = "5432";
  pid_t pid_ = 0;
  int databases_ = 0;
  std::vector<std::string> recycled_;
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_TESTING_POSTGRES_SERVER_H_
