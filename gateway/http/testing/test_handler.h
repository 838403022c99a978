#ifndef ENTREPOT_GATEWAY_HTTP_TESTING_TEST_HANDLER_H_
#define ENTREPOT_GATEWAY_HTTP_TESTING_TEST_HANDLER_H_

#include <atomic>
#include <string>

#include "gateway/http/handler.h"

namespace entrepot::gateway::http::testing {

// Answers by the path's first segment:
//   /echo           the body, in the answer's
//   /describe       what the request looked like, a line each
//   /refuse         401 without reading the body
//   /fail           what status code reading the body ended in, as text
//   /file?a-b       bytes a to b-1 of file()
//   /cold-file?a-b  the same, having asked the kernel to forget the file
//   /missing-bytes  a file body that is longer than the file
//   /stream?n       n bytes of a stream, "0123456789" again and again
//   /broken         a stream that fails after 10 of 20 bytes
//   /empty          204
//   /wait           answers "waited" once release() was called
//   /throw          throws
// Anything else is 404. HEAD answers with head_content_length 42.
class TestHandler : public Handler {
 public:
  TestHandler();
  ~TestHandler() override;

  boost::asio::awaitable<Response> Handle(Request& request) override;
  Response Refuse(int status, absl::string_view message) override;

  const std::string& file_contents() const { return file_contents_; }
  void release() { released_ = true; }
  int waiting() const { return waiting_; }
  int handled() const { return handled_; }

 private:
  const std::string file_path_;
  const std::string file_contents_;
  std::atomic<bool> released_{false};
  std::atomic<int> waiting_{0};
  std::atomic<int> handled_{0};
};

// What a stream of `size` bytes holds.
std::string Digits(size_t size);

}  // namespace entrepot::gateway::http::testing

#endif  // ENTREPOT_GATEWAY_HTTP_TESTING_TEST_HANDLER_H_
