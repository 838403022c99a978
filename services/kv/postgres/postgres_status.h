#ifndef ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_STATUS_H_
#define ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_STATUS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

// What the errors of PostgreSQL mean to the engine.
namespace entrepot::kv {

// The status of a statement that failed with that SQLSTATE:
// kAborted: a lock timeout, a deadlock, a conflict, or a session that ended; the transaction may run again.
// kUnavailable: the server cannot do it now. kDataLoss: stored bytes are corrupt. kFailedPrecondition: tables or rights
// are missing. kInternal: a mistake of this program.
absl::Status FromSqlState(absl::string_view sqlstate, absl::string_view message);

// Whether the session has ended with this error; an empty SQLSTATE is a lost connection.
bool EndsSession(absl::string_view sqlstate);
// Whether the server does not accept writes: it is a standby, or became one.
bool IsReadOnly(absl::string_view sqlstate);

// kAborted, with the mark that the connection was lost before COMMIT was sent.
absl::Status ConnectionLost(absl::string_view message);
bool IsConnectionLost(const absl::Status& status);

// kUnavailable with a text for the client that names no server.
absl::Status DatabaseUnavailable(absl::string_view message);
// kUnavailable with this text for the client, which names the bound that was reached and its setting, but no server.
absl::Status DatabaseBusy(absl::string_view message);

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_STATUS_H_
