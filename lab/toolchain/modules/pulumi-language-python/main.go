// pulumi-language-python runs Pulumi programs and policy packs in Python: the language host of the lab's own build of pulumi.
//
// Pulumi's own host is a Go module without versions, which module proxies do not have; the last one that was part of the SDK's
// module (3.79) knows neither `virtualenv` as today's engine hands it over, nor policy packs that are a folder. What finds Python
// is the SDK's. Which providers a program needs, the engine finds out when they are asked for.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// saidAlready is the exit status of a program that has told the engine what is wrong.
const saidAlready = 32

type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	engine string
}

// python is the interpreter that a project or a pack names, with its environment.
func python(ctx context.Context, info *pulumirpc.ProgramInfo, arguments ...string) (*exec.Cmd, error) {
	options := toolchain.PythonOptions{Root: info.RootDirectory, ProgramDir: info.ProgramDirectory, Toolchain: toolchain.Pip}
	if named, ok := info.Options.AsMap()["virtualenv"].(string); ok {
		options.Virtualenv = named
	}
	found, err := toolchain.ResolveToolchain(options)
	if err != nil {
		return nil, err
	}
	if err := found.ValidateVenv(ctx); err != nil {
		return nil, err
	}
	return found.Command(ctx, arguments...)
}

// Run runs a program: by the script of the engine's release, which is beside this executable.
func (h *host) Run(ctx context.Context, request *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	config, err := json.Marshal(request.Config)
	if err != nil {
		return nil, err
	}
	secret, err := json.Marshal(request.ConfigSecretKeys)
	if err != nil {
		return nil, err
	}
	command, err := python(ctx, request.Info,
		filepath.Join(filepath.Dir(self), "pulumi-language-python-exec"),
		"--monitor", request.MonitorAddress, "--engine", h.engine,
		"--project", request.Project, "--stack", request.Stack, "--organization", request.Organization,
		"--root_directory", request.Info.RootDirectory, "--pwd", request.Pwd,
		"--dry_run", strconv.FormatBool(request.DryRun), "--parallel", strconv.Itoa(int(request.Parallel)),
		filepath.Join(request.Info.ProgramDirectory, request.Info.EntryPoint))
	if err != nil {
		return nil, err
	}
	if command.Env == nil {
		command.Env = os.Environ()
	}
	command.Env = append(command.Env, "PULUMI_CONFIG="+string(config), "PULUMI_CONFIG_SECRET_KEYS="+string(secret))
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	err = command.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return &pulumirpc.RunResponse{}, nil
	case !errors.As(err, &exit):
		return nil, fmt.Errorf("python does not start: %w", err)
	case exit.ExitCode() == saidAlready:
		return &pulumirpc.RunResponse{Bail: true}, nil
	default:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program ended: %v", exit)}, nil
	}
}

// RunPlugin runs a policy pack that is a folder. Unbuffered: the engine waits for the line with the pack's port.
func (h *host) RunPlugin(request *pulumirpc.RunPluginRequest, answer pulumirpc.LanguageRuntime_RunPluginServer) error {
	if request.Kind != "analyzer" {
		return status.Errorf(codes.Unimplemented, "this language host runs programs and policy packs, and no plugin of kind %q", request.Kind)
	}
	arguments := append([]string{"-u", "-m", "pulumi.policy"}, request.Args...)
	command, err := python(answer.Context(), request.Info, append(arguments, request.Info.ProgramDirectory)...)
	if err != nil {
		return err
	}
	streams, stdout, stderr, err := rpcutil.MakeRunPluginStreams(answer, false)
	if err != nil {
		return err
	}
	command.Dir, command.Env, command.Stdout, command.Stderr = request.Pwd, request.Env, stdout, stderr
	err = command.Run()
	if closed := streams.Close(); closed != nil {
		return closed
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code := pulumirpc.RunPluginResponse_Exitcode{Exitcode: int32(exit.ExitCode())}
		return answer.Send(&pulumirpc.RunPluginResponse{Output: &code})
	}
	return err
}

func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version.Version}, nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: pulumi-language-python ENGINE; pulumi starts it")
		os.Exit(2)
	}
	if err := serve(&host{engine: os.Args[1]}); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-language-python:", err)
		os.Exit(1)
	}
}

// serve answers until the engine is gone.
func serve(h *host) error {
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan bool)
	go func() {
		<-ctx.Done()
		close(gone)
	}()
	if err := rpcutil.Healthcheck(ctx, h.engine, 5*time.Minute, cancel); err != nil {
		return err
	}
	served, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: gone,
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(server, h)
			return nil
		},
	})
	if err != nil {
		return err
	}
	fmt.Println(served.Port)
	return <-served.Done
}
