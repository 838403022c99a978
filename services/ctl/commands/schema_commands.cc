#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/ctl/client/registry_client.h"
#include "services/ctl/commands/commands.h"
#include "services/ctl/output/terminal_output.h"
#include "services/kv/postgres/postgres_connection.h"
#include "services/kv/postgres/postgres_schema.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

constexpr char kServer[] = "--server";
constexpr char kDatabase[] = "--database";
constexpr char kUser[] = "--user";
constexpr char kPasswordFile[] = "--password-file";
constexpr char kCaFile[] = "--ca-file";
constexpr char kCertificateFile[] = "--certificate-file";
constexpr char kPrivateKeyFile[] = "--private-key-file";
constexpr char kUnlessMade[] = "--unless-made";
// A change of tables waits until transactions that use them have ended.
constexpr absl::Duration kLockTimeout = absl::Seconds(10);

std::string ValueOr(const CommandLine& line, const char* option, const char* otherwise) {
  return line.Has(option) ? line.Value(option) : otherwise;
}

absl::StatusOr<std::unique_ptr<kv::PostgresConnection>> Connect(const CommandLine& line) {
  kv::PostgresAddress address;
  address.servers = line.Values(kServer);
  address.database = ValueOr(line, kDatabase, "entrepot");
  address.user = ValueOr(line, kUser, "entrepot");
  address.password_file = line.Value(kPasswordFile);
  address.ca_file = line.Value(kCaFile);
  address.certificate_file = line.Value(kCertificateFile);
  address.private_key_file = line.Value(kPrivateKeyFile);
  if (address.certificate_file.empty() != address.private_key_file.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(kCertificateFile, " and ", kPrivateKeyFile, " need each other"));
  }
  return kv::PostgresConnection::Connect(address, kLockTimeout);
}

absl::StatusOr<int> Show(const CommandLine& line, RegistryClient&) {
  ASSIGN_OR_RETURN(const std::unique_ptr<kv::PostgresConnection> connection, Connect(line));
  ASSIGN_OR_RETURN(const std::optional<kv::PostgresSchemaVersion> found, kv::ReadPostgresSchema(*connection));
  const int64_t version = found.has_value() ? found->version : 0;
  if (line.json()) {
    Print(absl::StrCat("{\"version\": ", version, ", \"needed\": ", kv::kPostgresSchemaVersion, "}\n"));
  } else if (found.has_value()) {
    Print(absl::StrCat("the tables have version ", version, "; this program needs ", kv::kPostgresSchemaVersion, "\n"));
  }
  RETURN_IF_ERROR(kv::CheckPostgresSchema(*connection));
  return kOk;
}

absl::StatusOr<int> UpgradeOn(kv::PostgresConnection& connection, const CommandLine& line) {
  RETURN_IF_ERROR(kv::UpgradePostgresSchema(connection));
  if (!line.json()) Print(absl::StrCat("the tables have version ", kv::kPostgresSchemaVersion, "\n"));
  return kOk;
}

absl::StatusOr<int> Make(const CommandLine& line, RegistryClient&) {
  ASSIGN_OR_RETURN(const std::unique_ptr<kv::PostgresConnection> connection, Connect(line));
  const absl::Status made = kv::MakePostgresSchema(*connection);
  if (absl::IsAlreadyExists(made) && line.Has(kUnlessMade)) return UpgradeOn(*connection, line);
  RETURN_IF_ERROR(made);
  if (!line.json()) Print(absl::StrCat("made the tables, version ", kv::kPostgresSchemaVersion, "\n"));
  return kOk;
}

absl::StatusOr<int> Upgrade(const CommandLine& line, RegistryClient&) {
  ASSIGN_OR_RETURN(const std::unique_ptr<kv::PostgresConnection> connection, Connect(line));
  return UpgradeOn(*connection, line);
}

std::vector<Option> DatabaseOptions() {
  return {{.name = kServer,
           .value = "HOST[:PORT]",
           .help = "a server of PostgreSQL, or the directory of its Unix socket",
           .required = true,
           .repeatable = true},
          {.name = kDatabase, .value = "NAME", .help = "the database; default: entrepot"},
          {.name = kUser, .value = "NAME", .help = "the user, who owns the tables; default: entrepot"},
          {.name = kPasswordFile, .value = "FILE", .help = "the file with the user's password"},
          {.name = kCaFile, .value = "FILE", .help = "use TLS; the authorities that sign the server's certificate"},
          {.name = kCertificateFile, .value = "FILE", .help = "the user's certificate"},
          {.name = kPrivateKeyFile, .value = "FILE", .help = "and its key"}};
}

std::vector<Option> MakeOptions() {
  std::vector<Option> options = DatabaseOptions();
  options.push_back({.name = kUnlessMade,
                     .value = "",
                     .help = "if there are tables, do what schema upgrade does instead of failing"});
  return options;
}

}  // namespace

std::vector<Command> SchemaCommands() {
  return {
      {.name = "schema show",
       .options = DatabaseOptions(),
       .summary = "Show whether the tables in PostgreSQL fit this program",
       .details = "Exits with 1 if there are none, or if they are too old or too new.",
       .examples = {"entrepotctl schema show --server db.example:5432 --password-file /etc/entrepot/db-password"},
       .run = Show},
      {.name = "schema make",
       .options = MakeOptions(),
       .summary = "Make the tables of the registry in an empty database of PostgreSQL",
       .details =
           "The database and the user must exist. No program makes tables by itself. If the services use another\n"
           "user, grant it the rights that docs/postgres.md lists.",
       .examples = {"entrepotctl schema make --server /run/postgresql --user postgres"},
       .run = Make},
      {.name = "schema upgrade",
       .options = DatabaseOptions(),
       .summary = "Bring the tables to the version that this program needs",
       .details =
           "Run it before the first process of a new version starts. Processes of the version before go on working\n"
           "with the new tables.",
       .examples = {"entrepotctl schema upgrade --server db.example --password-file /etc/entrepot/db-password"},
       .run = Upgrade},
  };
}

}  // namespace entrepot::ctl
