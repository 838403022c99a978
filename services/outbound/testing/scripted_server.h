#ifndef ENTREPOT_SERVICES_OUTBOUND_TESTING_SCRIPTED_SERVER_H_
#define ENTREPOT_SERVICES_OUTBOUND_TESTING_SCRIPTED_SERVER_H_

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/ssl/context.hpp"
#include "services/runtime/tls/test_certificates.h"

namespace entrepot::outbound {

// A server of HTTP/1.1 for tests, on 127.0.0.1. A function responds to each request with bytes of its choice: it may
// break a body off, stall, or send nothing. Each connection has a thread, and stays open for further requests.
class ScriptedServer {
 public:
  struct Request {
    std::string method = {};
    std::string target = {};  // "/v2/?a=b"
    std::string text = {};    // All bytes of the request.
    int connection = 0;       // From 1, in the order in which they were accepted.
  };

  class Connection {
   public:
    virtual ~Connection() = default;
    // False if the connection has ended.
    virtual bool Write(absl::string_view bytes) = 0;
    // Waits until the client closes the connection, or the server ends; false after the timeout.
    virtual bool WaitForEnd(absl::Duration timeout) = 0;
    // Closes it after the handler.
    void Close() { closes_ = true; }
    bool closes() const { return closes_; }

   private:
    bool closes_ = false;
  };

  // Is called for one request of a connection at a time, and for several connections at once. It must return soon after
  // WaitForEnd() or Write() has found the end.
  using Handler = std::function<void(const Request& request, Connection& connection)>;

  struct Options {
    // Serves TLS if there is a certificate.
    const runtime::TestCa::Issued* certificate = nullptr;
    // PEM. Clients must have a certificate of this authority if it is not empty.
    std::string client_ca = {};
  };

  explicit ScriptedServer(Handler handler) : ScriptedServer(std::move(handler), Options()) {}
  ScriptedServer(Handler handler, const Options& options);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  int port() const { return port_; }
  // http://127.0.0.1:PORT`target`
  std::string Url(absl::string_view target, absl::string_view scheme = "http",
                  absl::string_view host = "127.0.0.1") const;
  // How many connections it has accepted.
  int connections() const;
  std::vector<Request> requests() const;
  // Waits until the server has received as many requests.
  std::vector<Request> WaitForRequests(size_t count) const;

 private:
  void Accept();
  void Serve(boost::asio::ip::tcp::socket socket, int connection);
  template <typename Stream>
  void ServeRequests(Stream& stream, int fd, int connection);

  const Handler handler_;
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_{io_, {boost::asio::ip::address_v4::loopback(), 0}};
  const int port_ = acceptor_.local_endpoint().port();
  std::optional<boost::asio::ssl::context> tls_;
  mutable absl::Mutex mutex_;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  int accepted_ ABSL_GUARDED_BY(mutex_) = 0;
  // The file descriptors of open connections.
  std::map<int, int> open_ ABSL_GUARDED_BY(mutex_);
  std::vector<Request> requests_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;  // Of the connections. Used by `acceptor_thread_` until that ends.
  std::thread acceptor_thread_;
};

// A complete 200 response with this body, after which the connection is closed.
std::string OkResponse(absl::string_view body);
// One after which it stays open.
std::string KeptResponse(absl::string_view body);

}  // namespace entrepot::outbound

#endif  // ENTREPOT_SERVICES_OUTBOUND_TESTING_SCRIPTED_SERVER_H_
