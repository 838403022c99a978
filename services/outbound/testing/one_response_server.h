#ifndef ENTREPOT_SERVICES_OUTBOUND_TESTING_ONE_RESPONSE_SERVER_H_
#define ENTREPOT_SERVICES_OUTBOUND_TESTING_ONE_RESPONSE_SERVER_H_

#include <optional>
#include <string>
#include <thread>

#include "absl/strings/string_view.h"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/ssl/context.hpp"
#include "services/runtime/tls/test_certificates.h"

namespace entrepot::outbound {

// A server for tests, on a loopback address: sends fixed bytes as the response to one request.
class OneResponseServer {
 public:
  // Serves TLS if there is a certificate.
  explicit OneResponseServer(std::string response, const runtime::TestCa::Issued* certificate = nullptr);
  ~OneResponseServer();
  OneResponseServer(const OneResponseServer&) = delete;
  OneResponseServer& operator=(const OneResponseServer&) = delete;

  // `scheme`://127.0.0.1:PORT/keys?a=b
  std::string Url(absl::string_view scheme) const;
  // The bytes of the request. Waits until it has been responded to.
  const std::string& request();

 private:
  void Serve();
  template <typename Stream>
  void Respond(Stream& stream);

  const std::string response_;
  std::string request_;
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_{io_, {boost::asio::ip::address_v4::loopback(), 0}};
  std::optional<boost::asio::ssl::context> tls_;
  std::thread thread_;
};

// A complete 200 response with this body.
std::string OkResponse(absl::string_view body);

}  // namespace entrepot::outbound

#endif  // ENTREPOT_SERVICES_OUTBOUND_TESTING_ONE_RESPONSE_SERVER_H_
