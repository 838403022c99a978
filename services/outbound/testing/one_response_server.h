#ifndef ENTREPOT_SERVICES_OUTBOUND_TESTING_ONE_RESPONSE_SERVER_H_
#define ENTREPOT_SERVICES_OUTBOUND_TESTING_ONE_RESPONSE_SERVER_H_

#include <string>

#include "absl/strings/string_view.h"
#include "services/outbound/testing/scripted_server.h"
#include "services/runtime/tls/test_certificates.h"

namespace entrepot::outbound {

// A server for tests, on a loopback address: sends fixed bytes as the response to each request, and closes the
// connection.
class OneResponseServer {
 public:
  // Serves TLS if there is a certificate.
  explicit OneResponseServer(std::string response, const runtime::TestCa::Issued* certificate = nullptr);

  // `scheme`://127.0.0.1:PORT/keys?a=b
  std::string Url(absl::string_view scheme) const { return server_.Url("/keys?a=b", scheme); }
  // The bytes of the first request. Waits until there is one.
  std::string request() const { return server_.WaitForRequests(1)[0].text; }

 private:
  ScriptedServer server_;
};

}  // namespace entrepot::outbound

#endif  // ENTREPOT_SERVICES_OUTBOUND_TESTING_ONE_RESPONSE_SERVER_H_
