#include "services/kv/testing/postgres_server.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "services/core/time/deadline.h"
#include "services/kv/postgres/postgres_schema.h"

namespace entrepot::kv {
namespace {

constexpr char kScript[] = "services/kv/testing/run_postgres";
constexpr char kTemplate[] = "entrepot_template";
constexpr absl::Duration kStartTimeout = absl::Seconds(120);

[[noreturn]] void Abort(const std::string& what) {
  std::fprintf(stderr, "PostgresServer: %s\n", what.c_str());
  std::abort();
}

std::string MakeDirectory() {
  // A socket's path has at most 107 bytes, and the server's user must reach it: not below the test's directory.
  char path[] = "/tmp/entrepot-pg.XXXXXX";
  if (::mkdtemp(path) == nullptr) Abort("cannot make a directory");
  return path;
}

pid_t Spawn(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

// The pids of all processes whose parent is `parent`.
std::vector<pid_t> ChildrenOf(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 0) continue;
    std::ifstream file(entry.path() / "stat");
    std::stringstream stat;
    stat << file.rdbuf();
    // "pid (name) state ppid": the name may contain spaces.
    const std::string text = stat.str();
    const size_t end = text.rfind(')');
    if (end == std::string::npos || end + 4 >= text.size()) continue;
    if (std::atoi(text.c_str() + end + 4) == parent) children.push_back(pid);
  }
  return children;
}

}  // namespace

PostgresServer::PostgresServer(std::vector<std::string> settings)
    : settings_(std::move(settings)), directory_(MakeDirectory()) {
  Start();
  Execute(absl::StrCat("CREATE DATABASE ", kTemplate));
  absl::StatusOr<std::unique_ptr<PostgresConnection>> connection =
      PostgresConnection::Connect(Address(kTemplate), absl::Seconds(5));
  if (!connection.ok()) Abort(connection.status().ToString());
  if (const absl::Status made = MakePostgresSchema(**connection); !made.ok()) Abort(made.ToString());
}

PostgresServer::PostgresServer(const PostgresServer& primary, std::vector<std::string> settings)
    : settings_(std::move(settings)), directory_(MakeDirectory()) {
  const pid_t copy = Spawn({kScript, "--standby", directory_, primary.directory_});
  int status = 0;
  if (::waitpid(copy, &status, 0) != copy || status != 0) Abort("cannot copy the primary");
  Start();
}

PostgresServer::~PostgresServer() {
  Kill();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

PostgresServer& PostgresServer::Shared() {
  static PostgresServer server;
  return server;
}

void PostgresServer::Start() {
  for (absl::string_view setting : settings_) {
    if (absl::ConsumePrefix(&setting, "port=")) port_ = std::string(setting);
  }
  std::vector<std::string> arguments = {kScript, directory_};
  arguments.insert(arguments.end(), settings_.begin(), settings_.end());
  pid_ = Spawn(arguments);
  for (const Deadline deadline = Deadline::After(kStartTimeout); !deadline.passed();) {
    PGconn* const connection =
        PQconnectdb(absl::StrCat("host=", directory_, " port=", port_, " user=postgres dbname=postgres").c_str());
    const bool up = PQstatus(connection) == CONNECTION_OK;
    PQfinish(connection);
    if (up) return;
    // Processes of a server that was killed may hold its memory for a moment, and a new one refuses to start until
    // then.
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = Spawn(arguments);
    absl::SleepFor(absl::Milliseconds(20));
  }
  Abort("the server does not answer");
}

std::string PostgresServer::NewDatabase() {
  if (!recycled_.empty()) {
    std::string name = std::move(recycled_.back());
    recycled_.pop_back();
    return name;
  }
  const std::string name = absl::StrCat("test_", ::getpid(), "_", ++databases_);
  Execute(absl::StrCat("CREATE DATABASE ", name, " TEMPLATE ", kTemplate));
  return name;
}

void PostgresServer::Recycle(const std::string& name) {
  Execute("TRUNCATE entrepot.records, entrepot.commits", name);
  recycled_.push_back(name);
}

void PostgresServer::DropDatabase(const std::string& name) {
  Execute(absl::StrCat("DROP DATABASE ", name, " WITH (FORCE)"));
}

PostgresAddress PostgresServer::Address(const std::string& database) const {
  PostgresAddress address;
  address.servers = {absl::StrCat(directory_, ":", port_)};
  address.database = database;
  address.user = "postgres";
  return address;
}

std::string PostgresServer::Execute(const std::string& sql, const std::string& database) {
  PGconn* const connection =
      PQconnectdb(absl::StrCat("host=", directory_, " port=", port_, " user=postgres dbname=", database).c_str());
  PGresult* const result = PQexec(connection, sql.c_str());
  const ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    Abort(absl::StrCat(sql, ": ", PQerrorMessage(connection)));
  }
  const std::string value = PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "";
  PQclear(result);
  PQfinish(connection);
  return value;
}

void PostgresServer::Signal(int signal) {
  const std::vector<pid_t> children = ChildrenOf(pid_);
  ::kill(pid_, signal);
  for (const pid_t child : children) ::kill(child, signal);
}

void PostgresServer::Kill() {
  if (pid_ == 0) return;
  Signal(SIGSTOP);  // No process is made meanwhile.
  Signal(SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

void PostgresServer::Promote() { Execute("SELECT pg_promote(true, 60)"); }

}  // namespace entrepot::kv
